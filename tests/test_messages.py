"""Every message survives the wire bit for bit, and nothing malformed gets in."""

import subprocess
import sys
from types import UnionType
from typing import Any, get_args

import hypothesis.extra.numpy as hnp
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import messages
from agent.messages import (
    JOINT_NAMES,
    PAD_SHAPE,
    SKIN_PATCHES,
    Acting,
    Action,
    Advance,
    Applied,
    Clamp,
    Detection,
    Estimate,
    Fact,
    Farewell,
    GoalSeen,
    Hello,
    Limits,
    Look,
    Move,
    Observation,
    Plan,
    PlanRequest,
    Refusal,
    Report,
    Scan,
    Step,
    Subgoal,
    SubgoalKind,
    Trial,
    Welcome,
    decode,
    encode,
)

number = st.floats(allow_nan=False)
count = st.integers(-(2**31), 2**31)
text = st.text(max_size=12)


def array(shape: tuple[int, ...], dtype: type = np.float64) -> st.SearchStrategy[Any]:
    """Any bit pattern, NaN and infinity included."""

    def bits(seed: int) -> Any:
        data = np.random.default_rng(seed).integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8)
        return data.view(dtype)[..., 0]

    special = st.sampled_from([0.0, -0.0, 1.5, np.nan, np.inf, -np.inf])
    return st.integers(0, 2**32).map(bits) | special.map(lambda value: np.full(shape, value, dtype))


def built(kind: type, /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Messages of a kind; fields with a default are sometimes left to it."""
    names = {f.name: f.required for f in msgspec.structs.fields(kind)}
    assert set(fields) == set(names), f"{kind.__name__} has fields {sorted(names)}"
    required = {name: fields[name] for name, needed in names.items() if needed}
    optional = {name: fields[name] for name, needed in names.items() if not needed}
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: kind(**values))


xyz = st.tuples(number, number, number)
few = 3
grip_mode = st.sampled_from(["width", "force"])
clamp = built(Clamp, name=text, asked=number, bound=number)
action = built(
    Action,
    sequence=count,
    valid_from_s=number,
    expires_s=number,
    tool_twist_in_base=st.integers(1, 3).flatmap(lambda rows: array((rows, 6))),
    grip_mode=grip_mode,
    grip=number,
    base_velocity_in_base=array((3,)),
    lift_rate_m_s=number,
    head_rate_rad_s=array((2,)),
)
applied = built(
    Applied,
    sequence=count,
    tool_twist_in_base=array((6,)),
    grip_mode=grip_mode,
    grip=number,
    base_velocity_in_base=array((3,)),
    lift_rate_m_s=number,
    head_rate_rad_s=array((2,)),
    clamps=st.lists(clamp, max_size=few),
    slip_reflex=st.booleans(),
    mode=st.sampled_from(["ok", "hold", "ramp", "stop", "fault"]),
)
detection = built(
    Detection,
    class_name=text,
    score=number,
    position_in_base_m=xyz,
    position_std_m=number,
    yaw_in_base_rad=number,
    yaw_std_rad=number,
    size_m=st.none() | xyz,
    state=st.none() | number,
    text=st.none() | text,
)
look = built(
    Look,
    time_s=number,
    detections=st.lists(detection, max_size=few),
    camera_pose_in_base=array((7,)),
    field_of_view_rad=st.tuples(number, number),
    max_range_m=number,
)
scan = built(
    Scan,
    time_s=number,
    first_angle_rad=number,
    step_rad=number,
    ranges_m=st.integers(0, 5).flatmap(lambda n: array((n,), np.float32)),
)
joints = array((len(JOINT_NAMES),))
observation = built(
    Observation,
    sequence=count,
    time_s=number,
    joint_position=joints,
    joint_velocity=joints,
    joint_torque=joints,
    command_lag=joints,
    tool_pose_in_base=array((7,)),
    base_pose_in_odom=array((3,)),
    base_velocity_in_base=array((3,)),
    wrist_wrench_in_tool=array((6,)),
    grip_force_n=number,
    pad_touch_n=array((2, 3, 3, *PAD_SHAPE), np.float16),
    skin_touch_n=array((3, SKIN_PATCHES), np.float16),
    applied=applied,
    look=st.none() | look,
    scan=st.none() | scan,
)
kind = st.sampled_from(SubgoalKind)
limits = built(Limits, force_n=number, speed_m_s=number, tilt_rad=number, time_s=number)
subgoal = built(Subgoal, id=count, kind=kind, target=text, item=text, limits=limits, valid_from_s=number, reason=text)
estimate = built(
    Estimate,
    phase=text,
    surprise=st.none() | number,
    success_probability=st.none() | number,
    time_to_go_s=st.none() | number,
    contact_probability=st.none() | number,
    slip_probability=st.none() | number,
    force_n=st.none() | number,
    disagreement=st.none() | number,
    planned=st.none() | st.booleans(),
)
goal = built(
    GoalSeen,
    tool_in_target=array((12,)),
    approach_m=number,
    above_m=number,
    let_go_at_m=number,
    axis=st.sampled_from(["none", "slide", "hinge"]),
    hinge_in_target=xyz,
    hinge_direction_in_target=xyz,
    travel=number,
)
move = built(
    Move,
    twist_in_target=array((6,)),
    grip_mode=grip_mode,
    grip=number,
    base_velocity_in_base=xyz,
    phase=text,
    finished=st.booleans(),
)
acting = built(
    Acting,
    version=count,
    begins=st.booleans(),
    goal=goal,
    target_in_base=array((12,)),
    target_std_m=number,
    pads_touch=st.booleans(),
    holding=st.booleans(),
    supported=st.booleans(),
    force_in_target_n=array((3,)),
    opening=st.none() | number,
    elapsed_s=number,
    failures=count,
    did=move,
    advice=st.none() | move,
)
report = built(
    Report,
    subgoal_id=count,
    time_s=number,
    status=st.sampled_from(["running", "succeeded", "failed", "rejected"]),
    attempt=count,
    reason=text,
    success_probability=st.none() | number,
)
fact = built(Fact, predicate=text, arguments=st.lists(text, max_size=few).map(tuple))
trial = built(Trial, kind=kind, target=text, item=text, successes=count, failures=count, last_reason=text)

MESSAGES: dict[type, st.SearchStrategy[Any]] = {
    Acting: acting,
    Action: action,
    Advance: built(Advance, session=count, count=count, action=st.none() | action),
    Applied: applied,
    Clamp: clamp,
    Detection: detection,
    Estimate: estimate,
    Fact: fact,
    Farewell: built(Farewell, reason=text),
    GoalSeen: goal,
    Hello: built(Hello, protocol=count, version=text),
    Limits: limits,
    Look: look,
    Move: move,
    Observation: observation,
    Plan: built(
        Plan,
        request_id=count,
        subgoals=st.lists(subgoal, max_size=few),
        goal_reached=st.booleans(),
        cost=number,
        explanation=text,
        error=text,
        prompt=text,
        reply=text,
    ),
    PlanRequest: built(
        PlanRequest,
        id=count,
        task=text,
        time_s=number,
        facts=st.lists(fact, max_size=few),
        reports=st.lists(report, max_size=few),
        trials=st.lists(trial, max_size=few),
        current=st.lists(subgoal, max_size=few),
        travel_s=st.dictionaries(text, number, max_size=few),
    ),
    Refusal: built(Refusal, reason=text),
    Report: report,
    Scan: scan,
    Step: built(
        Step,
        observation=observation,
        subgoal=st.none() | subgoal,
        action=action,
        estimate=estimate,
        acting=st.none() | acting,
    ),
    Subgoal: subgoal,
    Trial: trial,
    Welcome: built(
        Welcome, session=count, protocol=count, version=text, robot=text, virtual_time=st.booleans(), tick_s=number
    ),
}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, msgspec.Struct):
        return type(a) is type(b) and all(_same(getattr(a, f), getattr(b, f)) for f in a.__struct_fields__)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b


def test_every_message_is_covered() -> None:
    public = {getattr(messages, name) for name in messages.__all__}
    structs = {one for one in public if isinstance(one, type) and issubclass(one, msgspec.Struct)}
    unions = [one for one in public if isinstance(one, UnionType)]
    assert structs == set(MESSAGES)
    assert unions
    assert {member for union in unions for member in get_args(union)} <= structs


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_a_message_comes_back_bit_for_bit(kind: type) -> None:
    @given(MESSAGES[kind])
    @settings(max_examples=25, deadline=None)
    def check(message: Any) -> None:
        data = encode(message)
        back = decode(data, kind)
        assert _same(message, back)
        assert encode(back) == data

    check()


@given(hnp.arrays(st.sampled_from([np.float64, np.float32, np.int32, np.uint8]), hnp.array_shapes(min_dims=0)))
@settings(max_examples=50, deadline=None)
def test_views_and_transposed_arrays_arrive_as_they_look(values: np.ndarray) -> None:
    class Holder(msgspec.Struct):
        values: np.ndarray

    back = decode(encode(Holder(values.T)), Holder).values
    assert _same(np.ascontiguousarray(values.T).reshape(values.T.shape), back)


@given(MESSAGES[Action], st.data())
@settings(max_examples=100, deadline=None)
def test_damaged_bytes_raise_a_decode_error_and_nothing_else(message: Action, data: st.DataObject) -> None:
    raw = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for damaged in (bytes(raw), bytes(raw[:cut])):
        try:
            back = decode(damaged, Action)
        except msgspec.DecodeError:
            continue
        assert isinstance(back, Action)


def test_what_has_no_place_in_a_message_is_refused() -> None:
    class Holder(msgspec.Struct):
        value: Any

    with pytest.raises(TypeError, match="dtype object"):
        encode(Holder(np.array([object()])))
    with pytest.raises(TypeError, match="cannot encode object"):
        encode(Holder(object()))
    with pytest.raises(msgspec.DecodeError, match="unknown extension type 9"):
        decode(msgspec.msgpack.encode(Holder(msgspec.msgpack.Ext(9, b"x"))), Holder)
    short = msgspec.msgpack.Ext(1, b"d\x01\x03\x00" + bytes(8))
    with pytest.raises(msgspec.DecodeError, match="needs 24 bytes, got 8"):
        decode(msgspec.msgpack.encode(Holder(short)), Holder)
    with pytest.raises(msgspec.ValidationError, match=r"\$\.kind"):
        decode(encode(Subgoal(id=1, kind=SubgoalKind.PICK)).replace(b"pick", b"kick"), Subgoal)


def test_importing_the_messages_loads_neither_torch_nor_mujoco() -> None:
    code = "import sys, agent.messages; print(sorted({'torch', 'mujoco', 'zmq', 'scipy'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
