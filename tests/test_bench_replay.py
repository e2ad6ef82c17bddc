"""Recorded episodes come out the same, and no bit changes unnoticed; `doppio bench replay --times 100` does it."""

from agent.commands.bench_replay import measure_replays


def test_what_is_recorded_comes_out_the_same_and_no_bit_changes_unnoticed() -> None:
    found = measure_replays(2, ["scripted"], "train", None, lambda done, total: None)
    assert found["different"] == []
    assert found["unnoticed"] == []
    assert found["ticks"] > 1500
