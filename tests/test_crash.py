"""`kill -9` at ten random moments of recording, finishing and exporting; `doppio bench crash --times 200` does more."""

from agent.commands.bench_crash import measure_crashes


def test_nothing_finished_is_lost_when_processes_are_killed() -> None:
    found = measure_crashes(times=10, ticks=300, seed=7)
    assert found["problems"] == []
    assert found["unreadable"] == 0
    assert found["steps_lost_older_than_1_s"] == 0
    assert found["steps_finished"] > 300
