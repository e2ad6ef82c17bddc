"""What a page gets is what the log holds; what it shows is what it got."""

import gzip
import json
import re
import struct
from pathlib import Path
from typing import Any

import msgspec
import mujoco
import numpy as np
import pytest
from browser import Browser, find_browser
from recorded_run import recorded_episode, recorded_run
from rich.console import Console

from agent.commands.viewing import page_data, serve, write_report
from agent.episodes import Episode, EpisodeWriter, Kind
from agent.episodes.why import explain
from agent.messages import Estimate
from agent.viewer.arrays import NOTHING, Arrays
from agent.viewer.scene import load_model

QUIET = Console(quiet=True)


class Unpacked:
    """A bundle as Python reads it, by the format's own description."""

    def __init__(self, data: bytes) -> None:
        raw = gzip.decompress(data)
        assert raw[:4] == b"DOPV"
        (length,) = struct.unpack_from("<I", raw, 4)
        self.about: dict[str, Any] = json.loads(raw[8 : 8 + length])
        self.arrays: dict[str, np.ndarray] = {}
        for name, d in self.about["arrays"].items():
            kind = np.dtype({"f4": "<f4", "i4": "<i4", "i2": "<i2", "u1": "u1", "u2": "<u2"}[d["type"]])
            count = int(np.prod(d["shape"]))
            values = np.frombuffer(raw, kind, count, 8 + length + d["offset"]).reshape(d["shape"])
            if d.get("differences"):
                values = np.cumsum(values, axis=0, dtype=kind)
            if "scale" in d and "low" in d:
                values = np.where(values == NOTHING, np.nan, d["low"] + values * d["scale"])
            self.arrays[name] = values


@pytest.fixture(scope="module")
def page() -> Unpacked:
    return Unpacked(page_data(recorded_episode(), QUIET))


def test_numbers_survive_the_way_to_the_page() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(-32768, 32767, (50, 3)).astype(np.int16)
    curve = np.where(rng.random(200) < 0.2, np.nan, rng.normal(size=200))
    arrays = Arrays()
    arrays.add("values", values, differences=True)
    arrays.add_curve("curve", curve)
    arrays.add_curve("none", np.full(5, np.nan))
    found = Unpacked(gzip.compress(arrays.encode({"word": "ä"})))
    np.testing.assert_array_equal(found.arrays["values"], values)
    np.testing.assert_allclose(found.arrays["curve"], curve, atol=np.nanmax(np.abs(curve)) / 10_000)
    assert "none" not in found.arrays
    assert found.about["word"] == "ä"


def test_poses_are_those_of_the_recorded_states(page: Unpacked) -> None:
    episode = recorded_episode()
    data = episode.model_bytes()
    assert data is not None
    model = load_model(data)
    state = mujoco.MjData(model)
    names, times = page.about["scene"]["bodies"], page.arrays["picture_time"]
    scale = page.about["arrays"]["position"]["scale"]
    compared = 0
    for place, keyframe in episode.records(Kind.KEYFRAME):
        row = int(np.abs(times - place.time_s).argmin())
        if abs(times[row] - place.time_s) > 1e-4:
            continue
        state.qpos[:] = keyframe.qpos
        mujoco.mj_kinematics(model, state)
        truth = np.array([state.xpos[model.body(name).id] for name in names])
        np.testing.assert_allclose(page.arrays["position"][row] * scale, truth, atol=scale)
        compared += 1
    assert compared >= 5


def test_curves_are_those_of_the_steps(page: Unpacked) -> None:
    episode = recorded_episode()
    assert len(page.arrays["step_time"]) == len(episode)
    for number in range(0, len(episode), 37):
        step = episode.step(number)
        width = 1e3 * float(step.observation.joint_position[8])
        assert page.arrays["curve_width"][number] == pytest.approx(width, abs=0.05)
        assert page.arrays["curve_clamps"][number] == pytest.approx(len(step.observation.applied.clamps), abs=0.01)
    assert "curve_surprise" not in page.arrays, "scripted acting predicts nothing, and the page says so"


def test_the_story_is_the_records(page: Unpacked) -> None:
    episode = recorded_episode()
    (subgoal,) = page.about["subgoals"]
    (recorded,) = [s for _, s in episode.records(Kind.SUBGOAL)]
    assert (subgoal["kind"], subgoal["target"]) == (recorded.kind.value, recorded.target)
    assert subgoal["status"] == "succeeded"
    assert {e["name"] for e in page.about["events"]} >= {"success"}
    assert page.about["outcome"]["word"] == "success"


def test_detections_lie_where_things_are(page: Unpacked) -> None:
    """Put into the world by the true pose of the base, what was seen of the mug is near the mug."""
    kind = page.about["classes"].index("mug")
    seen = page.arrays["seen"][page.arrays["seen"][:, 4] == kind]
    mugs = [i for i, name in enumerate(page.about["scene"]["bodies"]) if re.fullmatch(r"mug_\d+", name)]
    places = page.arrays["position"][0, mugs, :2] * page.about["arrays"]["position"]["scale"]
    off = np.linalg.norm(seen[:20, None, :2] - places[None], axis=2).min(axis=1)
    assert len(seen) > 10
    assert np.median(off) < 0.08


def test_a_report_is_one_file_without_a_network(tmp_path: Path) -> None:
    out = tmp_path / "new" / "report.html"
    size = write_report([recorded_episode()], out, QUIET)
    text = out.read_text()
    assert size == out.stat().st_size < 10e6
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "%DATA%" not in text
    assert not out.with_name("report.html.part").exists()


def test_what_a_model_expects_is_drawn_where_it_says_something(tmp_path: Path) -> None:
    """The recorded episode, as if a policy that predicts had acted in its second half."""
    source = recorded_episode()
    half = len(source) // 2
    with EpisodeWriter(tmp_path, source.header) as writer:
        for place in source.places:
            if place.kind == Kind.STEP:
                step = source.record(place)
                if step.observation.sequence >= half:
                    surprise = step.observation.grip_force_n / 20.0
                    estimate = Estimate(phase=step.estimate.phase, surprise=surprise, success_probability=0.75)
                    step = msgspec.structs.replace(step, estimate=estimate)
                writer.step(step)
            elif place.kind not in (Kind.HEADER, Kind.SUMMARY):
                writer.write(Kind(place.kind), place.time_s, source.payload(place))
        writer.finish(source.summary or {})
    episode = Episode.open(tmp_path)
    page = Unpacked(page_data(episode, QUIET))
    known = page.arrays["curve_success_probability"]
    assert np.isnan(known[:half]).all()
    np.testing.assert_allclose(known[half:], 0.75, atol=1e-6)
    last = len(episode) - 5
    felt = episode.step(last).observation.grip_force_n
    assert page.arrays["curve_surprise"][last] == pytest.approx(felt / 20.0, abs=1e-3)
    said = " ".join(reason.text for reason in explain(episode))
    assert "predicts nothing" not in said


def test_a_damaged_log_is_shown_with_what_is_left(tmp_path: Path) -> None:
    source = recorded_run()
    data = bytearray((source / "log-000.dop").read_bytes())
    steps = recorded_episode().all_of(Kind.STEP)
    place = steps[len(steps) // 2]
    data[place.offset + 60] ^= 1
    (tmp_path / "log-000.dop").write_bytes(data)
    damaged = Unpacked(page_data(Episode.open(tmp_path), QUIET))
    assert len(damaged.about["damage"]) == 1
    left = [step.time_s for step in steps if step.offset != place.offset]
    assert len(left) < len(steps), "what is packed with the damaged record is lost with it"
    np.testing.assert_allclose(damaged.arrays["step_time"], left, atol=1e-3)


needs_browser = pytest.mark.skipif(find_browser() is None, reason="no Chromium or Chrome on the path")


@needs_browser
def test_the_page_in_a_browser() -> None:
    """Play, scrub, step, jump to events, keep a link: what is shown is what the log says."""
    episode = recorded_episode()
    with serve([episode], QUIET) as server, Browser(server.address + "#t=5.0") as browser:
        browser.wait("typeof Doppio !== 'undefined' && Doppio.ready === true")
        assert browser.run("Doppio.shared.time") == pytest.approx(5.0), "a link leads to its moment"
        step = episode.step(500)
        browser.run("Doppio.seek(5.0), 1")
        assert browser.text(".caption .what") == "pick up mug-1"
        assert browser.text(".caption .phase") == step.estimate.phase.replace("-", " ")
        assert "success" in browser.text("#outcome")

        assert f"--fork {step.observation.sequence} " in browser.run("Doppio.forkCommand()")

        shown = browser.run("Doppio.stages[0].where('hand', 5.0)")
        np.testing.assert_allclose(shown, _hand_at(episode, 5.0), atol=0.03)

        browser.key("ArrowRight")
        assert browser.run("Doppio.shared.time") == pytest.approx(5.01, abs=2e-3)
        browser.key("n")
        marks = [t for t, _ in episode.events()]
        assert browser.run("Doppio.shared.time") == pytest.approx(min(t for t in marks if t > 5.011), abs=1e-3)

        box = browser.run(
            "(r => [r.left, r.top, r.width])(document.querySelector('#timeline canvas').getBoundingClientRect())"
        )
        x = box[0] + 150 + 0.5 * (box[2] - 164)
        for kind in ("mousePressed", "mouseReleased"):
            browser.mouse(kind, x, box[1] + 60)
        assert browser.run("Doppio.shared.time") == pytest.approx(episode.step(-1).observation.time_s / 2, abs=0.1)

        before = browser.run("Doppio.shared.time")
        browser.key(" ")
        browser.wait(f"Doppio.shared.time > {before + 0.2}")
        browser.key(" ")
        paused = browser.run("Doppio.shared.time")
        assert browser.run("new Promise(r => setTimeout(() => r(Doppio.shared.time), 300))") == paused

        browser.key("b")
        assert browser.run("Doppio.stages[0].believed.visible")
        assert browser.run("Doppio.stages[0].wanted.some(([kind, name]) => kind === 'believed' && name === 'mug-1')")
        assert browser.run(
            "document.querySelector('#pad-0').getContext('2d').getImageData(0, 0, 8, 12).data.some(v => v > 60)"
        )
        assert len(browser.picture()) > 50_000


@needs_browser
def test_two_episodes_keep_one_time() -> None:
    episode = recorded_episode()
    with serve([episode, recorded_episode()], QUIET) as server, Browser(server.address) as browser:
        browser.wait("typeof Doppio !== 'undefined' && Doppio.ready === true")
        assert browser.run("Doppio.stages.length") == 2
        assert "never part" in browser.text("#facts")
        browser.run("Doppio.seek(4.2), 1")
        assert browser.run("Doppio.stages.map(s => s.t)") == [pytest.approx(4.2)] * 2


def _hand_at(episode: Episode, time_s: float) -> np.ndarray:
    """From the nearest keyframe: the hand moves little in half a second of a slow approach."""
    data = episode.model_bytes()
    assert data is not None
    model = load_model(data)
    state = mujoco.MjData(model)
    place, keyframe = min(episode.records(Kind.KEYFRAME), key=lambda pair: abs(pair[0].time_s - time_s))
    assert abs(place.time_s - time_s) < 0.02
    state.qpos[:] = keyframe.qpos
    mujoco.mj_kinematics(model, state)
    return state.body("hand").xpos
