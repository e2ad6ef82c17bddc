"""What a camera reports, for tests of belief and skills."""

from agent.messages import Detection


def seen(class_name, position, yaw=0.0, size=None, state=None, std=0.02):
    """One detection in the base frame: m, rad, opening 0…1."""
    return Detection(
        class_name=class_name,
        score=0.9,
        position_in_base_m=position,
        position_std_m=std,
        yaw_in_base_rad=yaw,
        yaw_std_rad=0.1,
        size_m=size,
        state=state,
    )
