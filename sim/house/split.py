"""The axes along which houses vary, and how far each split goes along them."""

from dataclasses import dataclass

from sim.house.schema import Split

Range = tuple[float, float]


@dataclass(frozen=True)
class SplitAxes:
    """What a split draws from. Ranges are uniform, tuples of names are equally likely."""

    families: tuple[str, ...]
    """Layouts of rooms, see sim/house/layout.py."""
    room_counts: tuple[int, ...]
    kitchens: tuple[str, ...]
    """line: one wall, ell: two neighbouring walls, galley: two facing walls."""
    counter_height_m: Range
    front_styles: tuple[str, ...]
    handle_shapes: tuple[str, ...]
    """bar: square, rod: round, bow: on a wide base, step: flat strip on edge."""
    left_hinge_share: float
    front_force_n: Range
    """Pull at the handle that starts a door or drawer."""
    front_damping_n_s_m: Range
    """Further pull per speed of the handle."""
    front_mass_kg: Range
    door_breakaway_n: Range
    """Push at the free edge that starts a room door."""
    door_damping_nms: Range
    door_width_m: Range
    """Clear width of a doorway."""
    friction: Range
    """Of worktops, shelves and drawer floors."""
    table_height_m: Range
    palettes: tuple[str, ...]


AXES: dict[Split, SplitAxes] = {
    "train": SplitAxes(
        families=("row", "grid", "hall", "open-plan"),
        room_counts=(3, 4, 5),
        kitchens=("line", "ell", "galley"),
        counter_height_m=(0.86, 0.91),
        front_styles=("slab", "shaker"),
        handle_shapes=("bar", "rod"),
        left_hinge_share=0.5,
        front_force_n=(4.0, 8.0),
        front_damping_n_s_m=(8.0, 18.0),
        front_mass_kg=(1.6, 3.2),
        door_breakaway_n=(8.0, 13.0),
        door_damping_nms=(3.0, 7.0),
        door_width_m=(0.94, 1.02),
        friction=(0.6, 0.9),
        table_height_m=(0.72, 0.76),
        palettes=("sage", "oat", "navy", "terracotta"),
    ),
    "dev": SplitAxes(
        families=("ell", "hall", "open-plan"),
        room_counts=(3, 4, 5, 6),
        kitchens=("line", "ell"),
        counter_height_m=(0.84, 0.93),
        front_styles=("slab", "groove"),
        handle_shapes=("rod", "bow"),
        left_hinge_share=0.65,
        front_force_n=(4.0, 10.0),
        front_damping_n_s_m=(6.0, 22.0),
        front_mass_kg=(1.4, 3.8),
        door_breakaway_n=(8.0, 15.0),
        door_damping_nms=(3.0, 8.0),
        door_width_m=(0.92, 1.0),
        friction=(0.5, 0.95),
        table_height_m=(0.71, 0.78),
        palettes=("mint", "plum", "oat"),
    ),
    "heldout": SplitAxes(
        families=("star", "court", "hall", "tee"),
        room_counts=(4, 5, 6),
        kitchens=("line", "ell", "galley"),
        counter_height_m=(0.83, 0.95),
        front_styles=("groove", "inset", "shaker"),
        handle_shapes=("bow", "step", "bar"),
        left_hinge_share=0.35,
        front_force_n=(4.0, 11.0),
        front_damping_n_s_m=(5.0, 24.0),
        front_mass_kg=(1.2, 4.2),
        door_breakaway_n=(8.0, 16.0),
        door_damping_nms=(2.5, 9.0),
        door_width_m=(0.91, 1.04),
        friction=(0.45, 1.0),
        table_height_m=(0.70, 0.80),
        palettes=("ochre", "slate", "blush", "forest"),
    ),
}
