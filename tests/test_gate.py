"""Laws of the gate and the action window: no limit is passed, nothing is changed without need, stale is wrong."""

from math import hypot, inf, nan

import msgspec
import numpy as np
import pytest
from costs import calls_of, quickest_s
from hypothesis import given
from hypothesis import strategies as st

from agent.messages import TICK_S, Action
from controllers.action_window import MAX_VALID_S, ActionWindow, check_action
from controllers.arm_model import FINGER_WIDTH_RANGE_M, GRIP_MAX_N, LIFT_RANGE_M
from controllers.gate import ForceGate, Gate, GateLimits, Motion

LIMITS = GateLimits()
SUDDEN = GateLimits(
    tool_acceleration_m_s2=1e9,
    tool_turn_acceleration_rad_s2=1e9,
    base_acceleration_m_s2=1e9,
    base_turn_acceleration_rad_s2=1e9,
)
FREE = (0.6, 0.0, 1.0)
NO_FORCE = (0.0, 0.0, 0.0)

speeds = st.floats(-5.0, 5.0)
motions = st.builds(
    Motion,
    st.lists(speeds, min_size=6, max_size=6),
    st.lists(speeds, min_size=3, max_size=3),
    speeds,
    st.lists(speeds, min_size=2, max_size=2),
)
forces = st.tuples(*[st.floats(-200.0, 200.0)] * 3)
places = st.tuples(st.floats(-0.6, 1.3), st.floats(-1.1, 1.1), st.floats(-0.1, 2.3))


def copy(motion):
    return Motion(motion.twist.copy(), motion.base.copy(), motion.lift, motion.head.copy())


def through(gate, motion, scale=1.0, tool=FREE, lift=0.3, head=(0.0, 0.0), force=NO_FORCE):
    clamps = []
    return gate.limit(copy(motion), scale, tool, lift, list(head), force, clamps), clamps


def action(**changes):
    fields = {
        "sequence": 0,
        "valid_from_s": 0.0,
        "expires_s": 0.05,
        "tool_twist_in_base": np.zeros((1, 6)),
        "grip_mode": "width",
        "grip": 0.05,
        "base_velocity_in_base": np.zeros(3),
        "lift_rate_m_s": 0.0,
        "head_rate_rad_s": np.zeros(2),
    }
    return Action(**{**fields, **changes})


def refusal(window, now_s, **changes):
    """The Clamp that refused an action."""
    clamp = window.offer(action(**changes), now_s)
    assert clamp is not None
    return clamp


def test_a_robot_that_nobody_commands_gives_way_to_no_force():
    hard = (200.0, 0.0, 0.0)
    commanded, _ = through(Gate(), Motion(), force=hard)
    assert commanded.twist[0] == LIMITS.give_way_m_s
    standing, _ = through(Gate(), Motion(), scale=0.0, force=hard)
    assert not any(standing.twist)
    assert not any(standing.base)


def test_an_action_that_would_outlive_its_mind_is_refused():
    window = ActionWindow()
    assert refusal(window, 10.0, valid_from_s=10.0, expires_s=10.0 + MAX_VALID_S + 0.1).name == "too_long"
    assert window.offer(action(valid_from_s=10.0, expires_s=10.0 + MAX_VALID_S), 10.0) is None


def test_an_older_action_does_not_replace_the_one_to_come():
    window = ActionWindow()
    assert window.offer(action(sequence=1, expires_s=0.05), 0.0) is None
    assert window.offer(action(sequence=5, valid_from_s=0.03, expires_s=0.06), 0.0) is None
    assert refusal(window, 0.01, sequence=3, expires_s=0.06).name == "stale"
    window.mode(0.03)
    assert window.action is not None
    assert window.action.sequence == 5


@given(motions, motions, places, forces)
def test_no_limit_is_passed_and_each_change_is_named(before, asked, tool, force):
    gate = Gate(LIMITS)
    gate.last, _ = through(Gate(SUDDEN), before)
    last = copy(gate.last)
    motion, clamps = through(gate, asked, tool=tool, force=force)
    names = {clamp.name for clamp in clamps}
    way = LIMITS.give_way_m_s if "force" in names else 0.0
    assert hypot(*motion.twist[:3]) <= (LIMITS.tool_speed_m_s + way) * (1 + 1e-9)
    assert hypot(*motion.twist[3:]) <= LIMITS.tool_turn_rad_s * (1 + 1e-9)
    assert hypot(*motion.base[:2]) <= LIMITS.base_speed_m_s * (1 + 1e-9) or "force" in names
    assert abs(motion.lift) <= LIMITS.lift_rate_m_s
    assert max(map(abs, motion.head)) <= LIMITS.head_rate_rad_s
    if not names & {"workspace", "column", "force"}:
        change = [a - b for a, b in zip(motion.twist[:3], last.twist[:3], strict=True)]
        assert hypot(*change) <= LIMITS.tool_acceleration_m_s2 * TICK_S * (1 + 1e-9)
    if "force" not in names:
        change = [a - b for a, b in zip(motion.base[:2], last.base[:2], strict=True)]
        assert hypot(*change) <= LIMITS.base_acceleration_m_s2 * TICK_S * (1 + 1e-9)
    if motion != asked:
        assert clamps
    for clamp in clamps:
        assert np.isfinite([clamp.asked, clamp.bound]).all()


@given(motions)
def test_what_is_within_all_limits_passes_unchanged(motion):
    gentle = Motion(
        [0.009 * v for v in motion.twist],
        [0.0025 * v for v in motion.base],
        0.04 * motion.lift,
        [0.2 * v for v in motion.head],
    )
    passed, clamps = through(Gate(LIMITS), gentle)
    assert passed == gentle
    assert clamps == []


@given(places, motions)
def test_the_tool_never_leaves_the_box_and_may_always_come_back(tool, asked):
    gate = Gate(SUDDEN)
    motion, _ = through(gate, asked, tool=tool)
    for axis in range(3):
        lower, upper = LIMITS.tool_lower_in_base_m[axis], LIMITS.tool_upper_in_base_m[axis]
        after = tool[axis] + motion.twist[axis] * TICK_S
        near_column = hypot(tool[0], tool[1]) < 0.4
        if lower <= tool[axis] <= upper and not near_column:
            assert lower - 1e-9 <= after <= upper + 1e-9
    back = Motion([0.3 if at < 0.5 else -0.3 for at in tool[:2]] + [0.0] * 4)
    outside = tool[0] > LIMITS.tool_upper_in_base_m[0]
    if outside:
        motion, _ = through(gate, back, tool=tool)
        assert motion.twist[0] == back.twist[0]


def test_the_column_is_kept_clear():
    gate = Gate(SUDDEN)
    tool = [0.6, 0.3, 1.0]
    named = set()
    for _ in range(500):
        motion, clamps = through(gate, Motion([-0.4, -0.2, 0.0, 0.0, 0.0, 0.0]), tool=tuple(tool))
        tool = [at + v * TICK_S for at, v in zip(tool, motion.twist[:3], strict=True)]
        named |= {clamp.name for clamp in clamps}
        assert hypot(tool[0], tool[1]) >= LIMITS.column_radius_m - 1e-3
    assert "column" in named


@given(motions, forces)
def test_motion_into_a_force_is_stopped_and_retreat_is_free(asked, force):
    free, _ = through(Gate(SUDDEN), asked)
    motion, clamps = through(Gate(SUDDEN), asked, force=force)
    x, y, _ = FREE

    def push(twist, base):
        """Power of arm and of base against the force."""
        bx, by = base[0] - base[2] * y, base[1] + base[2] * x
        return sum(a * b for a, b in zip(twist, force, strict=False)), bx * force[0] + by * force[1]

    arm, base = push(motion.twist[:3], motion.base)
    size = hypot(*force)
    if size > LIMITS.wrist_force_n:
        assert arm >= -1e-6
        assert base >= -1e-6
        free_arm, free_base = push(free.twist[:3], free.base)
        assert arm >= free_arm - 1e-6
        if free_arm >= LIMITS.give_way_m_s * size and free_base >= 0.0:
            assert motion == free
    elif size < LIMITS.wrist_force_alert * LIMITS.wrist_force_n:
        assert motion == free
        assert not any(clamp.name == "force" for clamp in clamps)


@given(forces, st.tuples(speeds, speeds, speeds), st.tuples(speeds, speeds, speeds))
def test_the_fast_force_gate_stops_only_what_pushes(force, arm, base):
    gate = ForceGate(60.0)
    gate.aim(arm, base)
    allowed = gate.allows(*force)
    over = sum(f * f for f in force) > 60.0**2
    for velocity, free in zip((arm, base), allowed, strict=True):
        pushes = sum(f * v for f, v in zip(force, velocity, strict=True)) < 0.0
        assert free == (not (over and pushes))
    assert gate.allows(nan, 0.0, 0.0) == (False, False)


def test_lift_and_head_stop_at_their_ends():
    gate = Gate(LIMITS)
    motion, clamps = through(gate, Motion(lift=0.2, head=[1.0, 0.0]), lift=LIFT_RANGE_M[1] - 0.0005, head=(1.6, 0.0))
    assert motion.lift * TICK_S == pytest.approx(0.0005)
    assert motion.head == [0.0, 0.0]
    assert {clamp.name for clamp in clamps} == {"lift_range", "head_range"}


def test_a_stop_is_never_delayed_by_limits_of_acceleration():
    gate = Gate(LIMITS)
    fast = Motion([0.8, 0, 0, 0, 0, 0], [0.8, 0.0, 0.0])
    for _ in range(100):
        through(gate, fast)
    motion, _ = through(gate, fast, scale=0.0)
    assert motion == Motion()


def test_the_grip_stays_within_what_the_fingers_can_do():
    gate, clamps = Gate(LIMITS), []
    assert gate.limit_grip("width", 0.5, clamps) == FINGER_WIDTH_RANGE_M[1]
    assert gate.limit_grip("width", -0.5, clamps) == FINGER_WIDTH_RANGE_M[0]
    assert gate.limit_grip("force", 500.0, clamps) == GRIP_MAX_N
    assert gate.limit_grip("force", -500.0, clamps) == -GRIP_MAX_N
    assert [clamp.name for clamp in clamps] == ["grip_width", "grip_width", "grip_force", "grip_force"]


def test_an_expired_action_is_held_ramped_stopped_and_then_a_fault():
    window = ActionWindow()
    assert window.mode(0.0) == ("stop", 0.0)
    assert window.offer(action(tool_twist_in_base=np.full((1, 6), 0.1), expires_s=0.05), 0.0) is None
    seen = [(round(ms), *window.mode(ms / 1000)) for ms in range(0, 700, 10)]
    for ms, mode, scale in seen:
        age = ms - 50
        expected = (
            "ok" if age < 0 else "hold" if age < 20 else "ramp" if age < 100 else "stop" if age < 500 else "fault"
        )
        assert mode == expected, ms
        assert scale == pytest.approx(1.0 if age < 20 else max(0.0, (100 - age) / 80), abs=1e-4)
    assert refusal(window, 0.7, valid_from_s=0.7, expires_s=0.8).name == "fault"
    assert window.mode(0.7) == ("fault", 0.0)
    window.clear_fault()
    assert window.mode(0.7) == ("stop", 0.0)
    assert window.offer(action(valid_from_s=0.7, expires_s=0.8), 0.7) is None
    assert window.mode(0.7) == ("ok", 1.0)


def test_rows_follow_each_other_tick_by_tick_until_a_newer_action_comes():
    window = ActionWindow()
    rows = np.arange(3.0)[:, None] * np.ones(6)
    window.offer(action(tool_twist_in_base=rows, expires_s=0.05), 0.0)
    assert [window.twist(k * TICK_S)[0] for k in range(5)] == [0.0, 1.0, 2.0, 2.0, 2.0]
    window.offer(action(sequence=1, tool_twist_in_base=10 + rows, valid_from_s=0.02, expires_s=0.05), 0.03)
    assert window.twist(0.03)[0] == 11.0


def test_an_action_for_later_waits_for_its_time():
    window = ActionWindow()
    window.offer(action(), 0.0)
    assert window.offer(action(sequence=1, valid_from_s=0.03, expires_s=0.05), 0.01) is None
    sequences = []
    for now_s in (0.02, 0.03):
        window.mode(now_s)
        sequences.append(window.action and window.action.sequence)
    assert sequences == [0, 1]


def test_stale_and_outrun_actions_are_refused():
    window = ActionWindow()
    assert refusal(window, 0.06, sequence=5, valid_from_s=0.0, expires_s=0.05).name == "stale"
    assert window.offer(action(sequence=5), 0.0) is None
    refused = refusal(window, 0.0, sequence=4)
    assert (refused.name, refused.asked, refused.bound) == ("stale", 4.0, 5.0)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize(
    "field", ["tool_twist_in_base", "base_velocity_in_base", "head_rate_rad_s", "grip", "expires_s"]
)
def test_a_number_that_is_none_ends_the_motion_without_a_jump(field, bad):
    window = ActionWindow()
    window.offer(action(expires_s=1.0), 0.0)
    wrong = action(sequence=1)
    value = getattr(wrong, field)
    value = np.full_like(value, bad) if isinstance(value, np.ndarray) else bad
    clamp = window.offer(msgspec.structs.replace(wrong, **{field: value}), 0.1)
    assert clamp is not None
    assert clamp.name == "not_finite"
    assert window.mode(0.1) == ("hold", 1.0)
    assert window.mode(0.21)[0] == "stop"
    assert window.offer(action(sequence=2, valid_from_s=0.22, expires_s=0.3), 0.22) is None
    assert window.mode(0.22)[0] == "ok"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"tool_twist_in_base": np.zeros(6)}, ValueError, r"tool_twist_in_base must have shape \(n, 6\), got \(6,\)"),
        ({"tool_twist_in_base": np.zeros((0, 6))}, ValueError, "1 to 128 rows"),
        ({"tool_twist_in_base": np.zeros((1, 6), np.float32)}, TypeError, "float64, got float32"),
        ({"base_velocity_in_base": np.zeros(2)}, ValueError, r"shape \(3,\), got \(2,\)"),
        ({"head_rate_rad_s": [0.0, 0.0]}, TypeError, "got list"),
        ({"grip_mode": "squeeze"}, ValueError, "'width' or 'force', got 'squeeze'"),
        ({"expires_s": -1.0}, ValueError, "must be later than"),
    ],
)
def test_malformed_actions_are_refused_by_name(changes, error, words):
    with pytest.raises(error, match=words):
        check_action(action(**changes))


def test_both_parts_of_the_gate_stay_within_their_budgets():
    gate, fast = Gate(LIMITS), ForceGate(60.0)
    motion = Motion([0.05, 0.0, 0.05, 0.0, 0.1, 0.0], [0.01, 0.0, 0.0])

    def slow() -> None:
        gate.limit(motion, 1.0, FREE, 0.3, [0.0, 0.0], (1.0, 2.0, 3.0), [])

    def at_500_hz() -> None:
        fast.allows(1.0, 2.0, 3.0)

    assert calls_of(slow) <= 35
    assert calls_of(at_500_hz) <= 3
    assert quickest_s(slow, 40e-6) < 40e-6
    assert quickest_s(at_500_hz, 10e-6) < 10e-6
