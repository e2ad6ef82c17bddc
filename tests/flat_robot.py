"""A mind with nothing but motion, map and pose, driving a FlatBase: what skills do, in the smallest form."""

import math

import numpy as np
from flat_world import RAYS, FlatBase

from agent.belief.map import OccupancyMap
from agent.belief.pose import PoseEstimate, scan_points
from controllers.motion import se2
from controllers.motion.doors import without_leaf
from controllers.motion.explore import choose_frontier, frontiers
from controllers.motion.follow import DOOR_PUSH, arrived, follow
from controllers.motion.paths import Path, Travel, is_blocked, plan_path


class FlatRobot:
    def __init__(self, base: FlatBase):
        self.base, self.pose, self.map = base, PoseEstimate(), OccupancyMap()
        self.command, self.commands = np.zeros(3), []
        self.points, self.points_time_s = np.zeros((0, 2)), 0.0
        self.worst_error_m = self.worst_jump_m = 0.0
        self.pose.update(base.time_s, base.odom)

    def tick(self):
        """One tick of the world and of the belief."""
        scan = self.base.tick(self.command)
        self.commands.append(self.command)
        self.pose.update(self.base.time_s, self.base.odom)
        if scan is not None:
            before = self.pose.now
            self.pose.correct(scan, self.map)
            self.worst_jump_m = max(self.worst_jump_m, float(np.hypot(*(self.pose.now - before)[:2])))
            self.map.update(self.pose.at(scan.time_s), scan)
            self.points, self.points_time_s = scan_points(scan, 3.0), scan.time_s
        if self.base.ticks % 20 == 0:
            self._look_for_doors()
        error = self.pose.now - self.base.true_in_map()
        self.worst_error_m = max(self.worst_error_m, float(np.hypot(error[0], error[1])))

    def obstacles(self):
        return se2.transform_points(self.pose.moved_since(self.points_time_s), self.points)

    def drive(self, path, final_yaw=None, limit_s=60.0, obstacles=None, **how):
        """Follow a path until it ends, something blocks it or time is over; whether it ended."""
        until = self.base.time_s + limit_s
        while self.base.time_s < until:
            points = self.obstacles() if obstacles is None else obstacles()
            self.command = follow(
                path, self.pose.now, self.command, final_yaw_rad=final_yaw, obstacles_in_base_m=points, **how
            )
            self.tick()
            if arrived(path, self.pose.now, final_yaw) and np.abs(self.base.velocity).max() < 0.02:
                return True
            if self.base.ticks % 100 == 0 and obstacles is None and is_blocked(self.map.costs(), path, self.pose.now):
                return False
        return False

    def go_to(self, goal, limit_s=60.0):
        """Drive to a pose (3,) in the map, planning anew where the way is blocked."""
        until = self.base.time_s + limit_s
        while self.base.time_s < until:
            path = plan_path(self.map.costs(), self.pose.now[:2], goal[:2])
            if not isinstance(path, Path):
                return False
            if self.drive(path, goal[2], limit_s=until - self.base.time_s):
                return True
        return False

    def look_around(self):
        for _ in range(300):
            self.command = np.array((0.0, 0.0, 2.2))
            self.tick()
        self.command = np.zeros(3)

    def push(self, push, name):
        """Go to the near side of a door and through it; whether the base came out behind it."""
        if not self.go_to(push.approach_pose_in_map, 20.0):
            return False
        door = self.map.doorways()[name]

        def others():
            points = without_leaf(se2.transform_points(self.pose.now, self.obstacles()), door)
            return se2.transform_points(se2.inverse(self.pose.now), points)

        return self.drive(push.through, push.end_pose_in_map[2], 15.0, others, limits=DOOR_PUSH, turn_to_motion=False)

    def explore(self, limit_s=200.0):
        """See everything that can be seen; whether nothing is left."""
        self.look_around()
        keep, looked = None, False
        while self.base.time_s < limit_s:
            doors = self.map.doorways()
            grid = self.map.costs(push_doors=True)
            travel = Travel(grid, self.pose.now[:2])
            view = choose_frontier(frontiers(grid, doors), travel, self.pose.now, doors, keep)
            if view is None:
                if looked:
                    return True
                self.look_around()  # a door that was pushed stands elsewhere now: see it before giving up
                looked = True
                continue
            looked = False
            keep = (view.frontier.x_m, view.frontier.y_m)
            if view.push is not None:
                self.push(view.push, view.door)
            elif self.drive(view.path, view.pose_in_map[2], limit_s=1.5):
                self.map.dismiss_frontier(keep)
        return False

    def _look_for_doors(self):
        """What a camera with 80° says of doors within 4 m, with its errors."""
        base = self.base
        for number, leaf in enumerate(base.world.leaves):
            centre = leaf.box()[:2]
            way = centre - base.pose[:2]
            distance, bearing = np.hypot(*way), se2.wrap(math.atan2(way[1], way[0]) - base.pose[2])
            if distance > 4.0 or abs(bearing) > 0.7:
                continue
            ray = int((bearing + math.pi) / (2 * math.pi / RAYS))
            if base.world.ranges(base.pose)[ray] < distance - 0.15:
                continue
            in_base = se2.between(base.pose, (*centre, leaf.shut_yaw + math.pi / 2))
            in_map = se2.compose(self.pose.now, in_base)
            self.map.mark_door(
                f"door-{number}",
                in_map[:2] + base.rng.normal(0, 0.015, 2),
                in_map[2] + base.rng.normal(0, 0.04),
                leaf.width + 0.02,
                min(1.0, abs(leaf.angle) / leaf.most),
            )
