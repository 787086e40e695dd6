"""What an attack is, and what one came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from securevec.attack.callers import MOST, Caller, Product, Seen, Trusting, seen_of
from securevec.attack.rows import Vandal
from securevec.audit import read_tail
from securevec.errors import IsolationViolation
from securevec.filters import Expr
from securevec.testing.lying import Lie

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
    lies: int = 0
    """How many rows a search over everything meets that do not belong, and must count."""
    came: list[str] = field(default_factory=list[str])
    """What came through, in words, where an attempt tries several things."""

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

    def through(self, what: str, count: int = 1) -> int:
        """``count`` of one of several things came through; nothing is noted for none."""
        if count:
            self.came.append(what)
        return count

    def miscounted(self, violations: int, request_id: str) -> int:
        """Whether the rows that do not belong were dropped in silence: neither in the answer's count nor on record.

        Without the first barrier the other tenant's rows are counted beside them.
        """
        off = violations < self.lies if self.stage.trap.lie is Lie.IGNORE_NAMESPACE else violations != self.lies
        runtime = self.stage.store.runtime
        recorded = [
            dict(entry["unmapped"]["securevec"])
            for entry in cast("list[Any]", read_tail(runtime.home / "audit", log_id=runtime.installation_id, limit=8))
        ]
        told = [entry["counts"].get("violations") for entry in recorded if entry.get("request_id") == request_id]
        return self.through("rows that nobody counted", int(off)) + self.through(
            "a count that is not on record", int(told[-1:] != [violations])
        )


Arrange = Callable[[Scene], object]
Attempt = Callable[[Scene, Caller], int]


def nothing(scene: Scene) -> None:
    """No set-up: the attack is a call."""


def search_all(scene: Scene, caller: Caller) -> int:
    """A search over everything: nothing wrong, and what was dropped is counted and on record."""
    wrong = scene.wrong(caller.search())
    return wrong + (scene.miscounted(caller.violations, caller.request_id) if isinstance(caller, Product) else 0)


def listed(scene: Scene, caller: Caller) -> int:
    """A listing is whole and true, or an error: it goes by the manifest, so what is missing is known."""
    try:
        found = caller.listing()
    except IsolationViolation:
        return 0
    return scene.through("a listing", scene.wrong(found) + len(scene.truth.keys() - {each.id for each in found}))


def read_everything(scene: Scene, caller: Caller) -> int:
    """What the attacks on stored rows come down to: everything is searched, alone and in a batch, and listed."""
    wrong = search_all(scene, caller)
    if isinstance(caller, Product):
        for hits in caller.handle.search_batch(["refund", "case"], k=MOST):
            wrong += scene.through("a batch", scene.wrong([seen_of(hit) for hit in hits]))
            wrong += scene.miscounted(hits.violations, hits.request_id)
        wrong += listed(scene, caller)
    return wrong


def search_open(where: Expr) -> Attempt:
    def attempt(scene: Scene, caller: Caller) -> int:
        wrong = scene.wrong(caller.search(where), status="open")
        return wrong + (scene.miscounted(caller.violations, caller.request_id) if isinstance(caller, Product) else 0)

    return attempt


@dataclass(frozen=True, slots=True)
class Attack:
    """One way around the wall.

    ``arrange`` sets up, and does what somebody with write access to the store does. ``attempt`` is what a caller of
    the other tenant then does; it returns how many things came through that must not, and is run against the product,
    against a reader without the second barrier, and against the product on a store whose first barrier is gone.
    ``server`` names the same attempt with the vendor's own client (the method of the adapter's ``ServerAlone``).
    ``alone`` are the barriers that must hold by themselves; ``judged`` those it makes sense to ask at all.
    ``source`` says where it is known from: numbers are those of docs/attacks-on-isolation.md.
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
    lie: Lie = Lie.HONEST
    """What the store does wrong meanwhile. A store that lies is past the first barrier."""


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
