"""What a camera reports, for tests of belief and skills."""

import numpy as np

from agent.messages import Detection, Look


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


def look(time_s, *detections):
    """One frame of a camera 1.5 m above the base's centre."""
    return Look(
        time_s=time_s,
        detections=list(detections),
        camera_pose_in_base=np.array([0.0, 0.0, 1.5, 1.0, 0.0, 0.0, 0.0]),
        field_of_view_rad=(1.31, 1.05),
        max_range_m=5.0,
    )
