"""Recorded episodes come out the same, in this process and behind a wire; `doppio bench replay --times 100` does it."""

from agent.commands.bench_replay import REMOTE_EVERY, measure_replays


def test_what_is_recorded_comes_out_the_same_and_no_bit_changes_unnoticed() -> None:
    found = measure_replays(REMOTE_EVERY, ["scripted"], "train", None, lambda done, total: None)
    assert found["different"] == []
    assert found["unnoticed"] == []
    assert found["ticks"] > 800 * REMOTE_EVERY - 100
    assert sum(count for kind, count in found["kinds"].items() if "robot elsewhere" in kind) == 1
