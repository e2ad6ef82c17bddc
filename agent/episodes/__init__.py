"""Episodes: append-only logs of everything that was sensed, thought, asked and done.

Law: a finished step is never lost, whatever happens to the process.
"""

from agent.episodes.identity import code_identity, command_line, cpu_name, new_header, package_versions
from agent.episodes.reader import Episode, find_episode
from agent.episodes.records import CodeIdentity, Control, EpisodeError, EpisodeHeader, Event, Keyframe, Kind
from agent.episodes.report import EpisodeReport, SubgoalOutcome
from agent.episodes.segment import Damage
from agent.episodes.writer import EpisodeWriter, episodes_root, new_episode_directory

__all__ = [
    "CodeIdentity",
    "Control",
    "Damage",
    "Episode",
    "EpisodeError",
    "EpisodeHeader",
    "EpisodeReport",
    "EpisodeWriter",
    "Event",
    "Keyframe",
    "Kind",
    "SubgoalOutcome",
    "code_identity",
    "command_line",
    "cpu_name",
    "episodes_root",
    "find_episode",
    "new_episode_directory",
    "new_header",
    "package_versions",
]
