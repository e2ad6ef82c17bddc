"""Every policy by name. Each is imported when it is asked for: a learned mind never loads scripted acting."""

from pathlib import Path

from agent.policies.interface import Policy

POLICIES = ("world-model", "prior", "prior-blind", "prior-clamped", "scripted")
"""What people may choose: planning; its prior alone; the prior without touch; the prior clamped to the limits."""
TEACHER, ADVISED = "teacher", "advised:"
"""For collecting: scripted acting with noise; `advised:prior` acts by itself while a teacher says what it would do."""


def make_policy(name: str, checkpoint: Path | None = None, seed: int = 0) -> Policy:
    """The policy of this name; `seed` is for the noise of the teacher alone.

    Raises ValueError for an unknown name, agent.world_model.checkpoint.CheckpointError where a learned policy's
    weights are missing or do not fit.
    """
    if name == "scripted":
        from agent.policies.scripted import ScriptedPolicy

        return ScriptedPolicy()
    if name == TEACHER:
        from agent.policies.scripted import ScriptedPolicy
        from agent.policies.teacher import Teacher

        return Teacher(ScriptedPolicy(), seed)
    if name.startswith(ADVISED):
        from agent.policies.scripted import ScriptedPolicy
        from agent.policies.teacher import Advised

        return Advised(make_policy(name.removeprefix(ADVISED), checkpoint), ScriptedPolicy())
    if name == "prior-clamped":
        from agent.policies.teacher import Clamped

        return Clamped(make_policy("prior", checkpoint))
    if name in POLICIES:
        from agent.policies.learned import LearnedPolicy

        return LearnedPolicy.load(name, checkpoint)
    raise ValueError(f"unknown policy {name!r}; known: {', '.join(POLICIES)}")
