"""Opening a home: keys first, then control, audit and engine, each lazily where it is not always needed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Generic, TypeVar

from securevec.anonymize import Detector, MergedDetector, Names, PatternEngine, Recall, builtin_detector
from securevec.anonymize.detectors import require_detector, require_recall
from securevec.anonymize.names.choice import require_names
from securevec.anonymize.rules.second import require
from securevec.audit import AuditRef, AuditWriter, Event, Head, Succession
from securevec.audit.checkpoint import Signer
from securevec.audit.keeping import Kept
from securevec.clock import Clock
from securevec.control.store import ControlStore
from securevec.crypto.suites import number_of
from securevec.discovery import NO_CHOICES, Choices, check_backend, open_backend
from securevec.embed import Embedder
from securevec.embed.checked import require_embedder
from securevec.errors import AuditUnavailable, ConfigError, ControlUnavailable, HomeRefused, KeyUnavailable
from securevec.keyproviders.provider import Provider
from securevec.keys.cache import TTL_S
from securevec.keys.keyring import KeyRing
from securevec.policy import BuiltinPolicy, PolicyEngine
from securevec.removing.recover import answer_abandoned
from securevec.state import home as homes
from securevec.state import reserve
from securevec.state.engine import Engine
from securevec.state.names import NameBook
from securevec.state.placement import placed
from securevec.state.runtime import Runtime
from securevec.store.rootkeys import new_provider, provider_of, roots_of
from securevec.types import Suite

T = TypeVar("T")


class AuditDoor:
    """The audit writer, opened at the first record: commands that record nothing leave no writer behind. Once closed it
    opens none: a call that was on its way then would leave one that nobody closes."""

    def __init__(self, opener: Callable[[], AuditWriter]) -> None:
        self._opener = opener
        self._writer: AuditWriter | None = None
        self._closed = False
        self._mutex = threading.Lock()

    @property
    def writer_id(self) -> str:
        return self._open().writer

    def record(self, event: Event, *, wait: bool = True) -> AuditRef:
        return self._open().record(event, wait=wait)

    def exchange_key(self, new: Signer, *, compromised: bool) -> Succession:
        return self._open().exchange_key(new, compromised=compromised)

    def checkpoint(self) -> None:
        if self._writer is not None:
            self._writer.checkpoint()

    def close(self) -> None:
        with self._mutex:
            self._closed = True
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _open(self) -> AuditWriter:
        with self._mutex:
            if self._closed:
                raise AuditUnavailable("This store was closed.", next_step="Open it again: SecureStore.open(HOME).")
            if self._writer is None:
                self._writer = self._opener()
            return self._writer


class Once(Generic[T]):
    """A value made at first use, by one thread."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._mutex = threading.Lock()

    def __call__(self) -> T:
        with self._mutex:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


def open_runtime(
    home: Path,
    *,
    backend: str | None,
    key_file: Path | None,
    passphrase: str | None,
    key_provider: Provider | None = None,
    embedder: Embedder | None,
    policy: PolicyEngine | None,
    clock: Clock | None,
    create: bool,
    plain_http_hosts: Collection[str] = (),
    recognizers: Sequence[Detector] = (),
    recall: Recall = "balanced",
    pattern_engine: PatternEngine = "re2",
    names: Names = "small",
    models_required: bool = False,
    suite: Suite = "aes-256-gcm",
    key_cache_ttl: float = TTL_S,
    stale_if_unavailable: float = 0.0,
    choices: Choices = NO_CHOICES,
    use_reserve: bool = False,
    restoring: bool = False,
) -> Runtime:
    """The runtime of a home, made first when there is none and ``create`` allows it. ``restoring`` is for the process
    that restores it: nobody else opens it before that is done."""
    number = number_of(suite)
    require(pattern_engine)
    if embedder is not None:
        require_embedder(embedder)
    require_names(names)
    require_recall(recall)
    for each in recognizers:
        require_detector(each)
    if not restoring and not homes.exists(home):
        if not create:
            raise HomeRefused("There is no securevec home here.", next_step="Run: securevec init --home DIR")
        # A home is for one backend for good, so one that could never be opened is refused before there is a home.
        check_backend(backend or "edge", home=home, plain_http_hosts=plain_http_hosts, choices=choices)
        with homes.creating(home) as needed:
            if needed:
                _create(
                    home,
                    backend=backend or "edge",
                    key_file=key_file,
                    passphrase=passphrase,
                    provider=key_provider,
                    plain_http_hosts=plain_http_hosts,
                    layout=choices.layout,
                )
    installation = homes.load_restoring(home) if restoring else homes.load(home)
    _require_upgraded(home)
    _require_as_made(installation, backend, choices)
    clock = clock or Clock()
    provider = provider_of(home, installation, key_file=key_file, passphrase=passphrase, keys=key_provider)
    roots = roots_of(home, installation, provider, ttl_s=key_cache_ttl, stale_s=stale_if_unavailable)
    if use_reserve:
        reserve.give_back_to_open(home)
    with _room_to_open(home), contextlib.ExitStack() as opened:
        keys = opened.enter_context(
            contextlib.closing(KeyRing.open(home / "keys", roots, clock, suite=number, cache_ttl_s=key_cache_ttl))
        )
        control = opened.enter_context(contextlib.closing(ControlStore.open(home / "control.db", create=False)))
        # Again: one that began since may have brought both stores this far, and is not verified.
        _require_upgraded(home)
        keys.follow(control.key_changes(), control.note_key_changes)
        clock.raise_floor(control.time_floor())
        control.raise_time_floor(clock.floor_ms())
        book = NameBook(keys)

        audit = AuditDoor(partial(_open_audit, home, installation, keys, control, book, clock, restoring=restoring))
        location = installation.backend
        plain = {*installation.plain_http_hosts, *plain_http_hosts}
        runtime = Runtime(
            home=home,
            installation_id=installation.installation_id,
            keys=keys,
            key_provider=provider,
            names=book,
            control=control,
            audit=audit,
            policy=policy or BuiltinPolicy(),
            clock=clock,
            models_required=models_required,
            restoring=restoring,
            engine=Engine(
                home=home,
                location=location,
                opener=lambda: placed(
                    open_backend(
                        location,
                        home=home,
                        plain_http_hosts=plain,
                        choices=replace(choices, layout=installation.layout),
                    ),
                    control.placement,
                ),
            ),
            embedder=(lambda: embedder) if embedder is not None else Once(_default_embedder),
            detector=Once[Detector](lambda: detector_of(recognizers, recall, pattern_engine, names)),
        )
        # From here on the runtime closes them.
        opened.pop_all()
    if not restoring:
        reserve.keep(home)
    return runtime


def _require_upgraded(home: Path) -> None:
    if homes.upgrade_begun(home) and not homes.UPGRADING.get():
        raise HomeRefused("The upgrade of this home was not finished.", next_step="Run: securevec upgrade")


def _require_as_made(installation: homes.Installation, backend: str | None, choices: Choices) -> None:
    """Raises :class:`ConfigError` when the caller names another store, or layout of it, than the home was made for."""
    if backend is not None and backend != installation.backend:
        raise ConfigError(
            "The home was made for another backend.", next_step="Leave the backend out, or make another home."
        )
    if choices.layout is not None and choices.layout != (installation.layout or "shared"):
        raise ConfigError(
            "The home was made for another layout.", next_step="Leave it out; securevec tenant promote moves a tenant."
        )


def _open_audit(
    home: Path,
    installation: homes.Installation,
    keys: KeyRing,
    control: ControlStore,
    names: NameBook,
    clock: Clock,
    *,
    restoring: bool,
) -> AuditWriter:
    """The log, ready for new records, with the intents of crashed processes answered."""
    writer = AuditWriter.open(
        home / "audit",
        log_id=installation.installation_id,
        signing_key=keys,
        clock=clock,
        on_head=control.set_audit_head,
        anchor=audit_anchor(control),
        # A home that is being restored has an older control store on purpose.
        kept=None if restoring else partial(audit_kept, control),
        announce=control.announce_audit,
    )
    try:
        # Again, now that an upgrade sees that this process is here: it may have ended since the home was opened.
        _require_upgraded(home)
        control.require_head()
        keys.require_format()
        answer_abandoned(writer, control, names)
    except BaseException:
        writer.close()
        raise
    return writer


@contextlib.contextmanager
def _room_to_open(home: Path) -> Generator[None]:
    """Name a full disk as what it is, and what can be done on it."""
    try:
        yield
    except (ControlUnavailable, KeyUnavailable) as error:
        if not reserve.is_full(home):
            raise
        kept = reserve.held(home)
        raise type(error)(
            "The home's disk is full.",
            next_step="Free space on it."
            if not kept
            else f"Free space on it, or delete: {kept >> 10:,} KiB are in reserve for what deletes (use_reserve=True).",
        ) from error


def detector_of(
    recognizers: Sequence[Detector], recall: Recall, engine: PatternEngine = "re2", names: Names = "small"
) -> Detector:
    """The built-in detector, and beside it those that the caller brings."""
    builtin = builtin_detector(recall, engine, names)
    return MergedDetector([builtin, *recognizers]) if recognizers else builtin


def audit_anchor(control: ControlStore) -> Head | None:
    """The head of the audit log that the control store remembers; a log behind or beside it was tampered with."""
    kept = control.audit_head()
    return None if kept is None else Head(size=kept[0], root=kept[1])


def audit_kept(control: ControlStore) -> Kept:
    """The same, and how long the log was announced to be."""
    return Kept(audit_anchor(control), control.audit_announced())


def _create(
    home: Path,
    *,
    backend: str,
    key_file: Path | None,
    passphrase: str | None,
    provider: Provider | None,
    plain_http_hosts: Collection[str],
    layout: str | None,
) -> None:
    homes.prepare(home)
    installation_id = homes.new_installation_id()
    chosen = new_provider(home, key_file=key_file, passphrase=passphrase, keys=provider)
    root, remembered = chosen.create(installation_id)
    homes.describe(
        home,
        installation_id=installation_id,
        backend=backend,
        key_provider=remembered,
        plain_http_hosts=plain_http_hosts,
        layout=layout,
    )
    KeyRing.create(home / "keys", root, Clock()).close()
    ControlStore.open(home / "control.db", create=True).close()
    homes.seal_home(home)


@cache
def _default_embedder() -> Embedder:
    # One for all stores of a process: another would read, check and hold the same 90 MB again.
    from securevec.embed.minilm import MiniLM

    return MiniLM()
