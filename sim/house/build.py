"""From a House to a MuJoCo spec: everything in it, the robot, lights and options."""

from collections.abc import Callable

import mujoco

from sim.house.cabinetry import add_base, add_counter, add_dish_rack, add_fridge, add_front, add_upper
from sim.house.furniture import (
    add_bed,
    add_block,
    add_chair,
    add_plant,
    add_shelf,
    add_side_table,
    add_sofa,
    add_table,
)
from sim.house.joinery import Joinery
from sim.house.ornaments import add_ornament
from sim.house.schema import Fixture, House
from sim.house.shell import add_doorway, add_floors, add_walls

TIMESTEP_S = 0.002

_FIXTURES: dict[str, Callable[[Joinery, Fixture], None]] = {
    "counter": add_counter,
    "base": add_base,
    "upper_cabinet": add_upper,
    "fridge": add_fridge,
    "dish_rack": add_dish_rack,
    "table": add_table,
    "chair": add_chair,
    "shelf": add_shelf,
    "side_table": add_side_table,
    "sofa": add_sofa,
    "bed": add_bed,
    "plant": add_plant,
    "wardrobe": add_block,
    "media_bench": add_block,
    "bathtub": add_block,
    "vanity": add_block,
    "toilet": add_block,
}


def build_house(house: House) -> mujoco.MjSpec:
    """The spec of the house with robot, machines and items; compile it once a reset.

    After `mj_resetData` the room doors stand at their initial angles and everything else is shut and at rest.
    Raises ValueError for a fixture or decor of a class nobody builds.
    """
    from sim.objects.items import add_item
    from sim.objects.machine import add_machine
    from sim.robot import add_robot

    spec = build_shell(house)
    for machine in house.machines:
        add_machine(spec, machine)
    for item in house.items:
        add_item(spec, item)
    add_robot(spec, house.start)
    return spec


def build_shell(house: House) -> mujoco.MjSpec:
    """The house alone: rooms, furniture and fronts, lights and options, nothing that stands on anything."""
    spec = mujoco.MjSpec()
    spec.modelname = f"house-{house.split}-{house.index}"
    spec.compiler.degree = False
    _set_options(spec)
    _set_visuals(spec, house)
    joinery = Joinery(spec, house)
    add_floors(joinery, house)
    add_walls(joinery, house)
    for door in house.doorways:
        add_doorway(joinery, door)
    by_name = {f.name: f for f in house.fixtures}
    for fixture in house.fixtures:
        if fixture.class_name == "sink":  # cut into its counter
            continue
        builder = _FIXTURES.get(fixture.class_name)
        if builder is None:
            raise ValueError(f"no builder for {fixture.class_name!r} ({fixture.name}); known: {', '.join(_FIXTURES)}")
        builder(joinery, fixture)
    for front in house.fronts:
        add_front(joinery, front, by_name[front.fixture])
    for i, decor in enumerate(house.decor):
        add_ornament(joinery, f"decor_{i}_{decor.kind}", decor)
    return spec


def _set_options(spec: mujoco.MjSpec) -> None:
    option = spec.option
    option.timestep = TIMESTEP_S
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10.0
    option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP


def _set_visuals(spec: mujoco.MjSpec, house: House) -> None:
    x0, y0 = min(w[0] for w in house.walls), min(w[1] for w in house.walls)
    x1, y1 = max(w[2] for w in house.walls), max(w[3] for w in house.walls)
    spec.stat.center = [(x0 + x1) / 2, (y0 + y1) / 2, 0.8]
    spec.stat.extent = max(x1 - x0, y1 - y0) / 2
    spec.stat.meansize = 0.3
    visual = spec.visual
    # Software rendering: shadows and multisampling cost 300 ms a frame. Pictures turn them on again.
    visual.quality.shadowsize = 0
    visual.quality.offsamples = 0
    visual.map.znear, visual.map.zfar = 0.01, 12.0
    visual.global_.offwidth, visual.global_.offheight = 1920, 1440
    visual.headlight.ambient = [0.46, 0.45, 0.44]
    visual.headlight.diffuse = [0.26, 0.26, 0.26]
    visual.headlight.specular = [0.05, 0.05, 0.05]
    sky = spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT
    )
    sky.rgb1, sky.rgb2, sky.width, sky.height = [0.93, 0.95, 0.96], [0.72, 0.80, 0.86], 64, 384
    middle = [(x0 + x1) / 2, (y0 + y1) / 2]
    sun = spec.worldbody.add_light(name="sun", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, pos=[*middle, 9.0])
    sun.dir, sun.diffuse, sun.specular, sun.ambient, sun.castshadow = (
        [0.35, 0.45, -1.0],
        [0.40, 0.37, 0.33],
        [0.12] * 3,
        [0.0] * 3,
        True,
    )
    fill = spec.worldbody.add_light(name="fill", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, pos=[*middle, 9.0])
    fill.dir, fill.diffuse, fill.specular, fill.ambient, fill.castshadow = (
        [-0.6, -0.3, -0.6],
        [0.16, 0.17, 0.20],
        [0.0] * 3,
        [0.0] * 3,
        False,
    )
