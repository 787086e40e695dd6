"""What an attack is, and what one came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from securevec.attack.callers import Caller, Seen, Trusting
from securevec.attack.rows import Vandal
from securevec.filters import Expr

if TYPE_CHECKING:
    from securevec.attack.stage import Pair, Stage

Barrier = Literal[1, 2]
Word = Literal["held", "passed", "LEAK", "no way in", "not there", "failed", "-"]
"""``held``: nothing came through. ``passed``: something did, and this barrier alone is not meant to stop it. ``LEAK``:
something did that should not. ``no way in``: there is no call for it. ``not there``: not on this store. ``failed``: the
attempt itself went wrong, so nothing is known. ``-``: this barrier has no part in it."""

ENOUGH_EACH: Final[frozenset[Barrier]] = frozenset({1, 2})
FIRST: Final[frozenset[Barrier]] = frozenset({1})
SECOND: Final[frozenset[Barrier]] = frozenset({2})


class NoWayIn(Exception):  # not an error: the product offers no such call
    """There is no call to try this with."""


class NotThere(Exception):  # not an error: the store has no such thing
    """This path does not exist on this store; the text says why."""


@dataclass(slots=True)
class Scene:
    """A filled pair of collections under attack. ``truth`` is what the attacked tenant must be answered with."""

    pair: Pair
    trusting: Trusting
    truth: dict[str, Seen] = field(default_factory=dict[str, Seen])
    kept: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the set-up leaves for the attempt."""

    @property
    def stage(self) -> Stage:
        return self.pair.stage

    @property
    def mine(self) -> Vandal:
        """The store's rows of the tenant whose handle is used."""
        return Vandal(self.stage, self.pair.globex)

    @property
    def theirs(self) -> Vandal:
        return Vandal(self.stage, self.pair.acme)

    def settle(self) -> None:
        """What is stored now is the truth: called after what tenants do, and before what the attacker does."""
        self.truth = {record.id: Seen(record.id, record.body, record.status) for record in self.pair.globex.iter()}
        self.trusting.remember()

    def wrong(self, seen: Sequence[Seen], *, status: str | None = None) -> int:
        """How many answers are not the truth: foreign, old, altered, resurrected, twice, or not what was asked for."""
        ids: set[str] = set()
        count = 0
        for each in seen:
            true = self.truth.get(each.id)
            count += (
                true is None
                or each.id in ids
                or each.text != true.text
                or each.status != true.status
                or (status is not None and each.status != status)
            )
            ids.add(each.id)
        return count


Arrange = Callable[[Scene], object]
Attempt = Callable[[Scene, Caller], int]


def nothing(scene: Scene) -> None:
    """No set-up: the attack is a call."""


def search_all(scene: Scene, caller: Caller) -> int:
    """What the attacks on stored rows come down to: a search over everything."""
    return scene.wrong(caller.search())


def search_open(where: Expr) -> Attempt:
    def attempt(scene: Scene, caller: Caller) -> int:
        return scene.wrong(caller.search(where), status="open")

    return attempt


@dataclass(frozen=True, slots=True)
class Attack:
    """One way around the wall.

    ``arrange`` sets up, and does what somebody with write access to the store does. ``attempt`` is what a caller of
    the other tenant then does; it returns how many things came through that must not, and is run against the product,
    against a reader without the second barrier, and against the product on a store whose first barrier is gone.
    ``server`` names the same attempt with the vendor's own client (the method of the adapter's ``ServerAlone``).
    ``alone`` are the barriers that must hold by themselves; ``judged`` those it makes sense to ask at all.
    ``source`` says where it is known from: numbers are those of the list of bypass paths in docs/threat-model.md.
    """

    name: str
    says: str
    source: str
    server: str
    attempt: Attempt = search_all
    arrange: Arrange = nothing
    alone: frozenset[Barrier] = ENOUGH_EACH
    judged: frozenset[Barrier] = ENOUGH_EACH
    changes: bool = False
    """It leaves the pair as no other attack wants it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one attempt came to."""

    word: Word
    says: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attack on one store."""

    name: str
    says: str
    source: str
    barrier_1: Cell
    barrier_2: Cell
    verdict: Cell
    server_alone: Cell
    """``passed`` when the server alone allowed it, ``held`` when it refused it."""

    @property
    def leaked(self) -> bool:
        return "LEAK" in (self.barrier_1.word, self.barrier_2.word, self.verdict.word)

    @property
    def failed(self) -> bool:
        return "failed" in (self.barrier_1.word, self.barrier_2.word, self.verdict.word)

    def document(self) -> dict[str, Any]:
        def shown(cell: Cell) -> dict[str, str]:
            return {"result": cell.word, "says": cell.says}

        return {
            "path": self.name,
            "says": self.says,
            "source": self.source,
            "barrier_1": shown(self.barrier_1),
            "barrier_2": shown(self.barrier_2),
            "verdict": shown(self.verdict),
            "server_alone": shown(self.server_alone),
        }
