"""Touch against known loads."""

import mujoco
import numpy as np
import pytest
from tiny_world import add_held_box, tiny_spec, tool_in_world

from agent.messages import PAD_SHAPE, STEPS_PER_TICK
from sim.robot import set_home
from sim.robot.hand import PAD_GEOMS, PAD_HALF_X_M, PAD_HALF_Z_M
from sim.robot.touch import NO_NOISE, Touch, TouchNoise

MASS_KG = 0.2
GRIP_N = 15.0


def simulate(spec, *, grip_n, half_width_m, seconds):
    model = spec.compile()
    data = mujoco.MjData(model)
    set_home(model, data)
    for side in ("left", "right"):
        data.qpos[model.joint(f"finger_{side}").qposadr[0]] = half_width_m
    data.ctrl[model.actuator("grip").id] = grip_n
    for _ in range(round(seconds / model.opt.timestep)):
        mujoco.mj_step(model, data)
    return model, data


def frame_of(model, data, noise, seed=1, ticks=1):
    """The last of `ticks` frames."""
    touch = Touch(model, data, seed, noise)
    frames = []
    for _ in range(ticks):
        for _ in range(STEPS_PER_TICK):
            mujoco.mj_step(model, data)
            touch.after_step()
        frames.append(touch.read())
    return frames[-1]


@pytest.fixture
def held():
    spec = tiny_spec()
    add_held_box(spec, MASS_KG)
    return simulate(spec, grip_n=GRIP_N, half_width_m=0.0252, seconds=0.6)


def contact_force_on(model, data, geom, axes):
    """(3,) sum of contact forces on a geom along the rows of `axes`, from MuJoCo's own account of contacts."""
    total, force = np.zeros(3), np.zeros(6)
    for i, contact in enumerate(data.contact):
        if model.geom(geom).id in contact.geom:
            mujoco.mj_contactForce(model, data, i, force)
            # The force acts on the second geom; the frame's rows are normal and tangents.
            sign = 1.0 if contact.geom[1] == model.geom(geom).id else -1.0
            total += sign * contact.frame.reshape(3, 3).T @ force[:3]
    return axes @ total


def tool_axes(data):
    return data.site("tool").xmat.reshape(3, 3).T


@pytest.mark.parametrize("noise", [NO_NOISE, TouchNoise()])
def test_a_held_mass_reads_its_weight_as_shear(held, noise):
    model, data = held
    weight_in_tool = tool_axes(data) @ [0.0, 0.0, -MASS_KG * 9.81]
    mean = frame_of(model, data, noise).pads_n[:, 0].astype(float).sum(axis=(2, 3))  # (pad, channel)
    shear = mean[:, 1:].sum(axis=0)
    assert np.linalg.norm(shear) == pytest.approx(MASS_KG * 9.81, rel=0.10)
    np.testing.assert_allclose(shear, weight_in_tool[[0, 2]], atol=0.2)
    np.testing.assert_allclose(mean[:, 0], GRIP_N, rtol=0.05)


def test_taxels_sum_to_the_contact_force(held):
    model, data = held
    frame = frame_of(model, data, NO_NOISE)
    for pad, (geom, outwards) in enumerate(zip(PAD_GEOMS, (-1.0, 1.0), strict=True)):
        along_x, along_y, along_z = contact_force_on(model, data, geom, tool_axes(data))
        sums = frame.pads_n[pad, 0].astype(float).sum(axis=(1, 2))
        np.testing.assert_allclose(sums, [outwards * along_y, along_x, along_z], rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize(("x_sign", "z_sign"), [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_a_press_at_one_corner_lights_that_corner(x_sign, z_sign):
    spec = tiny_spec()
    position, rotation = tool_in_world()
    at = position + rotation @ [x_sign * (PAD_HALF_X_M - 0.002), 0.0, z_sign * (PAD_HALF_Z_M - 0.002)]
    spec.worldbody.add_geom(name="pin", type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.004, 0, 0], pos=at)
    model, data = simulate(spec, grip_n=5.0, half_width_m=0.006, seconds=0.4)
    frame = frame_of(model, data, TouchNoise())
    rows, columns = PAD_SHAPE
    for pad in range(2):
        normal = frame.pads_n[pad, 0, 0].astype(float)
        row, column = np.unravel_index(normal.argmax(), normal.shape)
        assert row >= rows - 2 if z_sign > 0 else row <= 1, (row, column)
        assert column >= columns - 2 if x_sign > 0 else column <= 1, (row, column)
        quadrant = normal[rows // 2 :] if z_sign > 0 else normal[: rows // 2]
        quadrant = quadrant[:, columns // 2 :] if x_sign > 0 else quadrant[:, : columns // 2]
        assert quadrant.sum() > 0.9 * normal.sum()


@pytest.mark.parametrize(
    ("body", "local", "patches"),
    [
        ("arm_3", [-0.0565, 0.0, -0.15], range(0, 32)),
        ("arm_5", [0.0, 0.0495, -0.15], range(32, 64)),
        ("hand", [0.0315, 0.0, -0.11], range(64, 80)),
        ("finger_right", [0.0, 0.0205, 0.0], range(88, 96)),
    ],
)
def test_a_touch_on_the_skin_lights_its_patches(body, local, patches):
    spec = tiny_spec()
    bare = spec.compile()
    data = mujoco.MjData(bare)
    set_home(bare, data)
    mujoco.mj_forward(bare, data)
    at = data.body(body).xpos + data.body(body).xmat.reshape(3, 3) @ local
    spec.worldbody.add_geom(name="knob", type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.003, 0, 0], pos=at)
    model, data = simulate(spec, grip_n=0.0, half_width_m=0.0275, seconds=0.05)
    touch = Touch(model, data, 1, NO_NOISE)
    force = np.zeros(6)
    mujoco.mj_step(model, data)
    touch.after_step()
    skin = touch.read().skin_n[0].astype(float)
    normal = 0.0
    for i in range(data.ncon):
        mujoco.mj_contactForce(model, data, i, force)
        normal += force[0]
    assert normal > 0.5
    assert skin.sum() == pytest.approx(normal, rel=5e-3)
    lit = np.flatnonzero(skin > 0.01)
    assert set(lit.tolist()) <= set(patches)
    assert 1 <= len(lit) <= 4


def test_statistics_of_a_tick(held):
    model, data = held
    data.ctrl[model.actuator("grip").id] = 2 * GRIP_N
    touch = Touch(model, data, 1, NO_NOISE)
    steps = []
    single = Touch(model, data, 1, NO_NOISE)
    before = single.read().pads_n[:, 0].astype(float)
    touch.read()
    for _ in range(STEPS_PER_TICK):
        mujoco.mj_step(model, data)
        touch.after_step()
        single.after_step()
        steps.append(single.read().pads_n[:, 0].astype(float))
    mean, extreme, change = touch.read().pads_n.astype(float).swapaxes(0, 1)
    np.testing.assert_allclose(mean, np.mean(steps, axis=0), atol=5e-3)
    np.testing.assert_allclose(np.abs(extreme), np.abs(steps).max(axis=0), atol=5e-3)
    np.testing.assert_allclose(change, steps[-1] - before, atol=1e-2)
    assert change[:, 0].sum() > 1.0  # the grip grew


def test_imperfections_follow_from_the_seed(held):
    model, data = held
    snapshot = mujoco.MjData(model)
    mujoco.mj_copyData(snapshot, model, data)
    noise = TouchNoise(dead_fraction=0.2)

    def frame(seed):
        mujoco.mj_copyData(data, model, snapshot)
        return frame_of(model, data, noise, seed, ticks=60)

    one, again, other = frame(1), frame(1), frame(2)
    np.testing.assert_array_equal(one.pads_n, again.pads_n)
    np.testing.assert_array_equal(one.skin_n, again.skin_n)
    assert (one.pads_n != other.pads_n).any()
    dead = np.mean(one.pads_n[:, 0] == 0.0)
    assert 0.12 < dead < 0.28
    np.testing.assert_array_equal(one.pads_n[:, 0] == 0.0, one.pads_n[:, 1] == 0.0)


def test_reset_forgets(held):
    model, data = held
    touch = Touch(model, data, 5)
    first = touch.read().pads_n
    touch.read()
    touch.reset()
    np.testing.assert_array_equal(touch.read().pads_n, first)
