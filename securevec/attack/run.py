"""Carrying the attacks out: on a store of the caller's choice, in temporary tenants, leaving nothing behind."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from typing import Final

from securevec.attack.by_callers import BY_CALLERS
from securevec.attack.by_filters import BY_FILTERS
from securevec.attack.by_listing import BY_LISTING
from securevec.attack.callers import Caller, Product, Trusting
from securevec.attack.case import Attack, Cell, NotThere, NoWayIn, Outcome, Scene
from securevec.attack.on_answers import ON_ANSWERS
from securevec.attack.on_hints import ON_HINTS
from securevec.attack.on_rows import ON_ROWS
from securevec.attack.on_traces import ON_TRACES
from securevec.attack.rows import Row, Vandal
from securevec.attack.server import Vendor, attempt, server_alone
from securevec.attack.stage import ACME, ACME_MARK, GLOBEX, GLOBEX_MARK, Pair, Stage, text
from securevec.backend import VectorBackend
from securevec.errors import BackendError, DeletionIncomplete, IsolationViolation, SecurevecError
from securevec.store import SecureStore
from securevec.testing.embedders import HashEmbedder
from securevec.testing.lying import Lie, LyingBackend

ATTACKS: Final[tuple[Attack, ...]] = (
    *(*BY_CALLERS, *BY_FILTERS, *BY_LISTING),
    *(*ON_ROWS, *ON_HINTS, *ON_ANSWERS, *ON_TRACES),
)
Opener = Callable[[], VectorBackend]
Say = Callable[[int, int, str], None]
"""Called before each attack with its number, how many there are, and its name."""


def attack(
    backend: str,
    *,
    plain_http_hosts: Collection[str] = (),
    opener: Opener | None = None,
    say: Say | None = None,
    only: Sequence[str] = (),
) -> list[Outcome]:
    """Replay every attack (or those named) on ``backend``, as :meth:`SecureStore.open` names one.

    A temporary home with keys of its own; on a server, temporary tenants and collections, which are removed also when
    this is interrupted. ``opener`` replaces what opens the store, for tests. Raises :class:`BackendError` and
    :class:`MissingExtra` when the store cannot be reached, and :class:`DeletionIncomplete` when something of it stays.
    """
    chosen = [each for each in ATTACKS if not only or each.name in only]
    with staged(backend, plain_http_hosts=plain_http_hosts, opener=opener) as (stage, vendor):
        outcomes: list[Outcome] = []
        runner = Runner(stage, vendor)
        for number, each in enumerate(chosen, 1):
            if say is not None:
                say(number, len(chosen), each.name)
            outcomes.append(runner.carry_out(each))
        return outcomes


@contextlib.contextmanager
def staged(
    backend: str, *, plain_http_hosts: Collection[str] = (), opener: Opener | None = None
) -> Generator[tuple[Stage, Vendor]]:
    """A stage on a temporary home, and the vendor's client beside it. Everything is removed at the end."""
    directory = Path(tempfile.mkdtemp(prefix="securevec-attack-"))
    try:
        store = SecureStore.open(
            directory / "home",
            backend=backend,
            key_file=directory / "keys" / "root.key",
            embedder=HashEmbedder(),
            plain_http_hosts=plain_http_hosts,
        )
        with store:
            engine = store.runtime.engine
            trap = LyingBackend((opener or engine._opener)())
            engine._opener = lambda: trap
            (directory / "vendor").mkdir()
            with contextlib.closing(server_alone(trap.inner, directory / "vendor")) as vendor:
                try:
                    acme = store.tenant("acme", create=True, actor=ACME)
                    globex = store.tenant("globex", create=True, actor=GLOBEX)
                    yield Stage(store, trap, acme, globex), vendor
                except BackendError:
                    with contextlib.suppress(DeletionIncomplete):  # a store that is gone cannot be cleared either
                        _clear(store, trap)
                    raise
                except BaseException:
                    _clear(store, trap)
                    raise
                _clear(store, trap)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _clear(store: SecureStore, trap: LyingBackend) -> None:
    """Delete every tenant of the temporary home from the store. Raises :class:`DeletionIncomplete`."""
    trap.lie = Lie.HONEST
    left = 0
    for name, state in store.tenants():
        if state == "deleted":
            continue
        try:
            store.delete_tenant(name).raise_if_incomplete()
        except SecurevecError:
            left += 1
    if left:
        raise DeletionIncomplete(
            "Temporary tenants of the attack are still in the store.", job_id="", next_step="Run it again."
        )


class Runner:
    """Carries attacks out on one stage. Those that change nothing share a pair of collections."""

    def __init__(self, stage: Stage, vendor: Vendor) -> None:
        self._stage = stage
        self._vendor = vendor
        self._shared: Scene | None = None
        self._rows: tuple[list[Row], list[Row]] | None = None

    def carry_out(self, case: Attack) -> Outcome:
        cells: dict[str, Cell] = {"barrier_1": Cell("-"), "barrier_2": Cell("-")}
        try:
            scene = self._scene(case)
            trap = self._stage.trap
            trap.among = frozenset((scene.pair.acme._scope.namespace, scene.pair.globex._scope.namespace))
            verdict = self._asked(case, scene, Product(scene.pair), case.lie, must_hold=True)
            if 1 in case.judged:
                cells["barrier_1"] = self._asked(case, scene, scene.trusting, case.lie, must_hold=1 in case.alone)
            if 2 in case.judged and case.lie is not Lie.HONEST:
                cells["barrier_2"] = verdict
            elif 2 in case.judged:
                cells["barrier_2"] = self._asked(
                    case, scene, Product(scene.pair), Lie.IGNORE_NAMESPACE, must_hold=2 in case.alone
                )
        except BackendError as error:
            if error.__cause__ is not None:
                raise
            verdict = Cell("failed", f"the set-up was refused: {type(error).__name__}")
        except SecurevecError as error:
            verdict = Cell("failed", f"the set-up was refused: {type(error).__name__}")
        mine, theirs = self._examples()
        return Outcome(
            case.name,
            case.says,
            case.source,
            cells["barrier_1"],
            cells["barrier_2"],
            verdict,
            attempt(self._vendor, case.server, mine, theirs),
        )

    def _asked(self, case: Attack, scene: Scene, caller: Caller, lie: Lie, *, must_hold: bool) -> Cell:
        self._stage.trap.lie = lie
        try:
            return _cell(case, scene, caller, must_hold=must_hold)
        finally:
            self._stage.trap.lie = Lie.HONEST

    def _scene(self, case: Attack) -> Scene:
        if not case.changes and self._shared is not None:
            case.arrange(self._shared)
            return self._shared
        pair = self._pair()
        scene = Scene(pair, Trusting(pair))
        scene.settle()
        if not case.changes:
            self._shared = scene
        case.arrange(scene)
        return scene

    def _pair(self) -> Pair:
        """A filled pair. The other tenant has half as many records, so that an answer from both is not refused as a
        whole and every foreign row of it must be found."""
        pair = self._stage.pair()
        pair.acme.ingest([text(number, ACME_MARK) for number in range(1, 5)])
        pair.globex.ingest([text(number, GLOBEX_MARK) for number in range(1, 9)])
        return pair

    def _examples(self) -> tuple[list[Row], list[Row]]:
        """Both tenants' rows as the library stored them, for the vendor's own client."""
        if self._rows is None:
            pair = self._pair()
            self._rows = (Vandal(self._stage, pair.globex).rows(), Vandal(self._stage, pair.acme).rows())
        return self._rows


def _cell(case: Attack, scene: Scene, caller: Caller, *, must_hold: bool) -> Cell:
    scene.came.clear()
    refused = ""
    try:
        through = case.attempt(scene, caller)
    except NoWayIn as none:
        return Cell("no way in", str(none))
    except NotThere as none:
        return Cell("not there", str(none))
    except IsolationViolation:
        through, refused = len(scene.came), "refused: more than half of the answer did not belong there"
    except BackendError as error:
        if error.__cause__ is not None:
            raise
        through, refused = len(scene.came), "refused by the adapter"
    except SecurevecError as error:
        through, refused = len(scene.came), f"refused: {type(error).__name__}"
    if not through:
        return Cell("held", refused)
    # Something that came through before an error came through.
    names = list(dict.fromkeys(scene.came))
    named = (": " if names else "") + ", ".join(names[:5]) + (" and more" if len(names) > 5 else "")
    return Cell("LEAK" if must_hold else "passed", f"{through} came through{named}")
