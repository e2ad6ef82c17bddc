"""The stated facts, checked against the vocabulary and indexed by what they speak of."""

from collections.abc import Iterable
from functools import cached_property

from agent.messages import Fact
from agent.planner.strips import Atom
from agent.planner.vocabulary import ENTITY_ID, PREDICATES, WORDS


class FactError(ValueError):
    """A fact that is not in the vocabulary."""


def check_fact(fact: Fact) -> Atom:
    """The fact as an atom. Raises FactError for an unknown predicate or word, a wrong number of
    arguments, or an argument that is no entity id."""
    known = PREDICATES.get(fact.predicate)
    if known is None:
        raise FactError(f"unknown predicate {fact.predicate[:40]!r}; known are {', '.join(PREDICATES)}")
    if len(fact.arguments) != len(known.arguments):
        raise FactError(
            f"{fact.predicate} takes {len(known.arguments)} arguments ({', '.join(known.arguments) or 'none'}), "
            f"got {len(fact.arguments)}"
        )
    for sort, argument in zip(known.arguments, fact.arguments, strict=True):
        words = WORDS.get(sort)
        if words is not None and argument not in words:
            raise FactError(f"{fact.predicate}: {argument[:40]!r} is no {sort}; use one of {', '.join(words)}")
        if words is None and ENTITY_ID.fullmatch(argument) is None:
            raise FactError(f"{fact.predicate}: {argument[:40]!r} is no entity id ({ENTITY_ID.pattern})")
    return (fact.predicate, *fact.arguments)


class Scene:
    """What is believed, ready to be asked. All listings are sorted."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        """Raises FactError. What is held or stands somewhere, and nobody said what it is, is a `thing`."""
        atoms = {check_fact(fact) for fact in facts}
        named = {atom[1] for atom in atoms if atom[0] in ("mug", "pod", "thing")}
        atoms |= {("thing", a[1]) for a in atoms if a[0] in ("holding", "at", "under-spout") and a[1] not in named}
        self.atoms: frozenset[Atom] = frozenset(atoms)

    @cached_property
    def _by_predicate(self) -> dict[str, list[tuple[str, ...]]]:
        index: dict[str, list[tuple[str, ...]]] = {}
        for atom in sorted(self.atoms):
            index.setdefault(atom[0], []).append(atom[1:])
        return index

    def holds(self, predicate: str, *arguments: str) -> bool:
        return (predicate, *arguments) in self.atoms

    def rows(self, predicate: str) -> list[tuple[str, ...]]:
        """Arguments of every fact with this predicate."""
        return self._by_predicate.get(predicate, [])

    def all(self, predicate: str) -> list[str]:
        """First arguments of every fact with this predicate."""
        return [row[0] for row in self.rows(predicate)]

    @cached_property
    def movables(self) -> list[str]:
        """Everything the hand could hold."""
        return [*self.all("mug"), *self.all("pod"), *self.all("thing")]

    @cached_property
    def entities(self) -> dict[str, str]:
        """Sort (mug, pod, thing, machine, table, place, front, door) of every entity."""
        sorts = ("place", "table", "front", "door", "machine", "thing", "pod", "mug")
        return {name: sort for sort in sorts for name in self.all(sort)}

    @cached_property
    def place_of(self) -> dict[str, str]:
        """Movable thing → the place where it stands."""
        return {row[0]: row[1] for row in self.rows("at")}

    @cached_property
    def machine_over(self) -> dict[str, str]:
        """Movable thing → the machine under whose spout it stands."""
        return {row[0]: row[1] for row in self.rows("under-spout")}

    @cached_property
    def held(self) -> str | None:
        held = self.all("holding")
        return held[0] if held else None

    @cached_property
    def kind_of(self) -> dict[str, str]:
        """Place → detector class of it or of its front."""
        return {row[0]: row[1] for row in self.rows("kind")}

    @cached_property
    def front_of(self) -> dict[str, str]:
        """Place → the front that closes it."""
        return {row[1]: row[0] for row in self.rows("opens")}

    def front_open(self, front: str) -> bool:
        return self.holds("open", front)

    def lid_open(self, machine: str) -> bool:
        return self.holds("lid-open", machine)

    def lid_closed(self, machine: str) -> bool:
        return not self.lid_open(machine) and not self.holds("lid-ajar", machine)

    def tray_free(self, machine: str) -> bool:
        return not self.holds("tray-occupied", machine) and machine not in self.machine_over.values()

    def shut_doors_before(self, entity: str) -> list[str]:
        """Doors to be pushed before the entity can be reached."""
        return [door for name, door in self.rows("behind-door") if name == entity and self.holds("door-shut", door)]
