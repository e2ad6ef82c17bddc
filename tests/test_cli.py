"""The command line: fast, clear about wrong input, and evaluations that survive what happens to them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from agent.cli import COMMANDS, build_parser, main
from agent.commands import arguments
from agent.commands.journal import Journal
from agent.commands.outcome import CommandError, Exit
from agent.commands.statistics import (
    aggregate,
    auc_interval,
    look_command,
    paired_difference,
    unsafe_words,
    wilson_interval,
)
from agent.commands.workers import MAX_DEATHS, run_jobs
from agent.episodes import EpisodeReport, SubgoalOutcome
from agent.episodes.frame import FILE_HEADER, FORMAT_VERSION, MAGIC
from agent.episodes.report import Unsafe

ROOT = Path(__file__).resolve().parents[1]


def report(*, success: bool = True, safe: bool = True, tries: int = 1) -> EpisodeReport:
    return EpisodeReport(
        success=success,
        safe=safe,
        parts={"served": success},
        reason="" if success else "lost-grip",
        failed_subgoal="" if success else "pick",
        duration_s=10.0,
        wall_s=2.0,
        subgoals=[SubgoalOutcome(kind="pick", start_s=0.0, duration_s=3.0, attempts=tries, succeeded=success)],
    )


def test_help_is_light() -> None:
    """Neither numpy nor anything heavier is imported before a command runs."""
    program = "import sys; from agent.cli import build_parser; build_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "agent.commands.eval" in loaded
    assert not loaded & {"numpy", "mujoco", "torch", "rich", "zmq", "msgspec", "sim"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    assert "example" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run coffee --split heldut", ["'heldut'", "did you mean 'heldout'", "dev, heldout, train"]),
        ("run coffee --index -1", ["-1 is outside 0 to 2147483647"]),
        ("run coffee --index 2147483648", ["2147483648 is outside 0 to 2147483647"]),
        ("run coffee --index seven", ["'seven' is no whole number"]),
        ("run coffee --policy worldmodel", ["'worldmodel'", "scripted"]),
        ("run coffee --planner gpt", ["'gpt'", "symbolic"]),
        ("eval coffee --workers 0", ["0 is outside 1 to 256"]),
        ("run coffee --limits force=20", ["'force'", "force_n, speed_m_s, tilt_rad, time_s"]),
        ("run coffee --limits force_n=-3", ["force_n=-3", "positive"]),
        ("planner --bind tcp://0.0.0.0:5571", ["tcp://0.0.0.0:5571", "tcp://127.0.0.1:PORT"]),
        ("robot --bind tcp://*:5570", ["tcp://*:5570", "not encrypted", "tcp://127.0.0.1:PORT"]),
        ("deploy coffee --robot tcp://robot.lan:5570", ["tcp://robot.lan:5570", "tcp://127.0.0.1:PORT"]),
        ("robot --plant arm", ["'arm'", "mujoco"]),
        ("bench wire", ["'wire'", "sim"]),
        ("nonsense", ["nonsense", "doctor"]),
    ],
)
def test_wrong_arguments_name_value_bound_and_alternatives(
    line: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == Exit.USAGE
    said = capsys.readouterr().err
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run cofee", ["'cofee'", "did you mean 'coffee'"]),
        ("eval coffee --start 2147483640 --episodes 100", ["2147483739", "2147483647"]),
        ("replay nowhere", ["there is no episode nowhere", "newest"]),
        ("replay latest --video out.avi", [".mp4", ".avi"]),
        ("show house out.jpg", [".png", ".jpg"]),
        ("robot --task coffe", ["'coffe'", "did you mean 'coffee'"]),
        ("deploy cofee --robot tcp://127.0.0.1:9", ["'cofee'", "did you mean 'coffee'"]),
        ("run coffee --disturb puches", ["'puches'", "did you mean 'pushes'", "combined", "object-removed"]),
        ("run coffee --checkpoint best.safetensors --policy scripted", ["scripted has no weights"]),
        ("collect coffee", ["'coffee'", "pick-mug"]),
        ("collect go-to", ["'go-to'", "pick-mug"]),
        ("train --minutes -1", ["-1", "0 (calibrate alone)"]),
        ("train --minutes 0", ["--from FILE", "--to FILE"]),
        ("collect pick-mug --split heldout", ["train and dev alone", "'heldout'"]),
    ],
)
def test_wrong_input_ends_with_a_sentence(
    line: str, words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOPPIO_EPISODES", str(tmp_path))
    assert main(line.split()) == Exit.USAGE
    said = capsys.readouterr().err
    assert [word for word in words if word not in said] == []
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["log-000.dop", "the file is empty"]),
        (b"not an episode at all, but long enough to have a header", ["log-000.dop", "DOPPIO-LOG"]),
        (FILE_HEADER.pack(MAGIC, FORMAT_VERSION + 1, 0), ["format version 3", "reads 1 to 2"]),
        (FILE_HEADER.pack(MAGIC, FORMAT_VERSION, 0) + b"\0" * 64, ["no header record", "offset 16"]),
    ],
    ids=["empty", "other", "newer", "damaged"],
)
def test_a_corrupt_episode_is_named_with_what_is_wrong(
    content: bytes, words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "log-000.dop").write_bytes(content)
    for option in ([], ["--verify"], ["--video", str(tmp_path / "out.mp4")]):
        assert main(["replay", str(tmp_path), *option]) == Exit.USAGE
        said = capsys.readouterr().err
        assert [word for word in words if word not in said] == []
        assert "Traceback" not in said


@pytest.mark.parametrize("policy", ["world-model", "prior", "prior-blind", "prior-clamped"])
def test_missing_weights_are_named(policy: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = tmp_path / "best.safetensors"
    for command in ("run", "eval"):
        assert main([command, "pick-mug", "--policy", policy, "--checkpoint", str(missing)]) == Exit.MISSING
        said = capsys.readouterr().err
        assert str(missing) in said
        assert "doppio train" in said
        assert "Traceback" not in said


def test_an_address_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as taken:
        port = taken.bind_to_random_port("tcp://127.0.0.1")
        assert main(["robot", "--bind", f"tcp://127.0.0.1:{port}"]) == Exit.USAGE
        assert "choose another with --bind" in capsys.readouterr().err


def test_a_place_that_takes_no_episodes_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "a-file"
    place.write_text("")
    assert main(["run", "coffee", "--record", str(place)]) == Exit.USAGE
    assert f"cannot create {place}" in capsys.readouterr().err


def test_the_planner_says_where_it_listens(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agent.cli", "planner", "--bind", f"ipc://{tmp_path}/planner"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert f"ipc://{tmp_path}/planner" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_splits_are_the_simulators() -> None:
    from sim.house.schema import MAX_INDEX, SPLITS

    assert arguments.SPLITS == SPLITS
    assert arguments.MAX_INDEX == MAX_INDEX


def test_doctor_answers_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "-"]) == Exit.OK
    answer = json.loads(capsys.readouterr().out)
    assert answer["usable"]
    assert {"python", "packages", "OpenGL", "real time", "disk"} <= {finding["name"] for finding in answer["findings"]}
    assert all(f["consequence"] for f in answer["findings"] if f["status"] != "good")


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson_interval(successes, trials)
    assert 0.0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1.0
    mirrored = wilson_interval(trials - successes, trials)
    assert mirrored == pytest.approx((1.0 - high, 1.0 - low))


def test_wilson_interval_is_the_published_one() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, score method without continuity correction.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@given(st.floats(0.0, 1.0), st.integers(1, 200), st.integers(1, 200))
def test_interval_of_an_area_holds_it_and_is_the_same_in_a_mirror(area: float, positives: int, negatives: int) -> None:
    low, high = auc_interval(area, positives, negatives)
    assert 0.0 <= low <= area <= high <= 1.0
    assert high - low > 1 / (positives + negatives), "finitely many never settle it"
    assert auc_interval(1.0 - area, positives, negatives) == pytest.approx((1.0 - high, 1.0 - low), abs=1e-6)


def test_interval_of_an_area_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    truth, held = 0.9, 0
    shift = 1.2815515655446004 * 2**0.5  # of two unit normals, for this area
    for _ in range(300):
        positive, negative = random.normal(shift, 1.0, 12), random.normal(0.0, 1.0, 60)
        area = float((positive[:, None] > negative).mean())
        low, high = auc_interval(area, 12, 60)
        held += low <= truth <= high
    assert 0.91 <= held / 300 <= 0.99


def test_numbers_do_not_depend_on_the_order() -> None:
    reports = [(i, report(success=i % 3 > 0, tries=1 + i % 2)) for i in range(9)]
    numbers = aggregate(reports)
    assert aggregate(reports[::-1]) == numbers
    assert numbers["successes"] == 6
    assert numbers["realtime_factor"] == 5.0
    assert numbers["subgoals"] == {"pick": {"n": 9, "first_try": 3, "after_retries": 6}}
    assert [failure["index"] for failure in numbers["failures"]] == [0, 3, 6]
    absent = EpisodeReport(success=False, safe=False, parts={}, lacks="no fridge", duration_s=0.0, wall_s=0.0)
    more = aggregate([*reports, (9, absent)])
    assert more == {**numbers, "left_out": [{"index": 9, "reason": "no fridge"}]}


def test_what_was_not_safe_is_named_with_its_moment() -> None:
    pushed = Unsafe(part="force-peak", time_s=31.2, value="163 N", subgoal="push-door", target="door-2")
    safety = {"spilled": True, "force-peak": False, "lid-angle": False}
    unsafe = msgspec.structs.replace(
        report(safe=False), safety=safety, unsafe=[pushed], episode="episodes/one", failed_at_s=None
    )
    assert unsafe_words(unsafe) == "force-peak in push-door, lid-angle"
    assert look_command(unsafe) == "doppio replay episodes/one --view --at 28.2"
    numbers = aggregate([(0, report()), (1, unsafe), (2, report(success=False, safe=False))])
    assert [entry["index"] for entry in numbers["unsafe"]] == [1]
    assert numbers["unsafe"][0]["first"][0]["subgoal"] == "push-door"


def test_an_evaluation_that_the_program_itself_fails_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each house is named with the reason, and the exit code tells."""
    monkeypatch.setenv("DOPPIO_EPISODES", str(tmp_path))
    monkeypatch.setattr("agent.commands.eval.EpisodeJob", FailsAlways)
    assert main(["eval", "coffee", "--episodes", "2", "--workers", "1", "--json", "-"]) == Exit.FAILED
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert [failure["index"] for failure in answer["failures"]] == [0, 1]
    assert all(failure["reason"] == "program-error: OSError: no space" for failure in answer["failures"])
    assert set(answer) >= {
        *("task", "split", "policy", "planner", "disturb", "episodes", "successes", "success_rate", "success_ci95"),
        *("safe_successes", "safe_success_rate", "mean_duration_s", "realtime_factor", "failures", "subgoals"),
    }
    assert "2 of these failed by errors in the program" in said.err


class FailsAlways:
    def __init__(self, *_: object) -> None: ...

    def __call__(self, index: int) -> EpisodeReport:
        raise OSError("no space")


def test_a_journal_survives_a_torn_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal.jsonl")
    assert journal.read() == {}
    journal.add(3, report())
    journal.add(5, report(success=False))
    with journal.path.open("ab") as file:
        file.write(b'{"index": 6, "repo')
    assert journal.read() == {3: report(), 5: report(success=False)}
    journal.add(7, report())
    assert sorted(journal.read()) == [3, 5, 7]


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.path.write_text('{"index": "no number"}\n')
    with pytest.raises(CommandError, match=r"journal\.jsonl, line 1: Expected `int`, got `str` - at `\$\.index`"):
        journal.read()


def square(job: int) -> int:
    if job == 4:
        raise ValueError("four is refused")
    return job * job


class DiesOnce:
    """A job whose worker is killed the first time it is tried."""

    def __init__(self, folder: Path, fatal: int, always: bool = False) -> None:
        self.folder, self.fatal, self.always = folder, fatal, always

    def __call__(self, job: int) -> int:
        mark = self.folder / str(job)
        if job == self.fatal and (self.always or not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return job


def test_results_do_not_depend_on_the_number_of_workers() -> None:
    for workers in (1, 2):
        outcomes = {done.job: done for done in run_jobs(square, range(6), workers)}
        assert {job: done.result for job, done in outcomes.items()} == {0: 0, 1: 1, 2: 4, 3: 9, 4: None, 5: 25}
        assert "ValueError: four is refused" in outcomes[4].error


def test_a_killed_worker_costs_nothing(tmp_path: Path) -> None:
    outcomes = list(run_jobs(DiesOnce(tmp_path, fatal=2), range(4), 2))
    assert sorted(done.job for done in outcomes) == [0, 1, 2, 3]
    assert all(done.result == done.job and not done.error for done in outcomes)


def test_a_job_that_always_kills_is_given_up(tmp_path: Path) -> None:
    outcomes = {done.job: done for done in run_jobs(DiesOnce(tmp_path, fatal=1, always=True), range(3), 1)}
    assert f"died {MAX_DEATHS} times" in outcomes[1].error
    assert (outcomes[0].result, outcomes[2].result) == (0, 2)


def test_leaving_early_stops_the_workers() -> None:
    started = time.monotonic()
    for _ in run_jobs(time.sleep, [0, 60, 60], 2):
        break
    assert time.monotonic() - started < 20


def test_paired_differences_count_what_changed() -> None:
    same = [(True, True)] * 90 + [(False, False)] * 10
    difference, low, high = paired_difference(same)
    assert difference == 0.0
    assert -0.03 < low < 0.0 < high < 0.03
    better, low, high = paired_difference([*same, *[(True, False)] * 20])
    assert better == pytest.approx(20 / 120)
    assert 0.05 < low < better < high < 0.3
    assert paired_difference([(b, a) for a, b in [*same, *[(True, False)] * 20]])[0] == -better
    assert paired_difference([]) == (0.0, -1.0, 1.0)


def test_bench_sim_charges_every_second_to_a_part(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    assert main(["bench", "sim", "--seconds", "1", "--policy", "scripted", "--json", str(out)]) == Exit.OK
    result = json.loads(out.read_text())
    parts = result["parts"]
    assert {"physics", "controllers", "belief", "recording", "agenda and facts"} <= set(parts)
    assert sum(part["share"] for part in parts.values()) == pytest.approx(1.0, abs=0.02)
    assert all(part["seconds"] > 0.0 for part in parts.values())
