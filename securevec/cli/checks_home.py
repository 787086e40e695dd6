"""What ``doctor`` looks at in a home: permissions, keys, locks, stores, clock, collections, log, jobs, holds, receipts.

Read only, and without the engine: a running service need not stop for it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from securevec.cli.check import Check, guarded
from securevec.cli.commands.start import key_file
from securevec.cli.detector import chosen_detector
from securevec.cli.session import Session
from securevec.errors import EnvelopeRejected, HomeRefused
from securevec.state import home as homes
from securevec.state import reserve

_SQLITE: Final = b"SQLite format 3\0"
_ROLLBACK: Final = b"\x01\x01"
"""Bytes 18 and 19 of an SQLite file whose journal is not a write-ahead log (SQLite file format, 1.3)."""
_SUCCESS: Final = 1
"""``status_id`` of an OCSF record of something that was done."""
_EMBEDDED: Final = ("edge", "chroma")
_RECENT: Final = 5_000
_AHEAD_MS: Final = 60_000
ROOM: Final = 64 << 20
"""Bytes below which the embedded engines add nothing, as ``securevec_adapters.embedded`` says; a test compares them."""
_LITTLE: Final = 1 << 30


def run(session: Session) -> list[Check]:
    """Every check of a home. Those that need it opened are left out when it cannot be, which ``stores`` says."""
    home = session.home
    found = [
        guarded("home", lambda: _home(home)),
        guarded("permissions", lambda: _permissions(home)),
        guarded("disk", lambda: _disk(home)),
        guarded("key file", lambda: _key(session)),
        guarded("key store", lambda: _key_store(home)),
        guarded("engine lock", lambda: _lock(home)),
        guarded("stores", lambda: _stores(session)),
    ]
    if found[-1].status == "ok":
        found += [guarded(name, partial(check, session)) for name, check in _OPENED]
    return found


def _home(home: Path) -> Check:
    installation = homes.load(home)
    detail = f"{home}, private, installation {installation.installation_id[:12]}, backend {installation.backend}"
    return Check("home", "ok", detail)


def _permissions(home: Path) -> Check:
    """The home lets nobody else in; what lies in it is checked too, because a copy of it may lie elsewhere."""
    looked_at = [home, *home.glob("*.db"), home / "VERSION", home / "keys", *(home / "keys").glob("*")]
    looked_at += [home / "audit", *(home / "audit").glob("*"), *(home / "engine").glob("*")]
    wide = sum(bool(stat.S_IMODE(path.lstat().st_mode) & 0o077) for path in looked_at if path.exists())
    if wide:
        return Check("permissions", "wrong", f"{wide} files or directories are open to others", f"chmod -R go= {home}")
    return Check("permissions", "ok", "nothing of the home is open to others")


def _disk(home: Path) -> Check:
    """Embedded engines add nothing below a limit; what deletes needs room too, for its journal and its audit record."""
    try:
        disk = os.statvfs(home)
    except OSError as error:
        raise HomeRefused("The home's disk cannot be looked at.") from error
    free = disk.f_bavail * disk.f_frsize
    read_only = bool(disk.f_flag & os.ST_RDONLY)
    detail = f"{'read-only, ' if read_only else ''}{free >> 20:,} MiB free"
    kept = reserve.held(home)
    detail += f", {kept >> 20} MiB in reserve for what deletes" if kept >= 1 << 20 else ""
    if read_only:
        return Check("disk", "wrong", detail, "Mount it for writing: an answer waits for its audit record.")
    if free < ROOM:
        step = f"Free at least {ROOM >> 20} MiB." + (
            " Deleting still works: tenant delete, subject erase, retention apply, delete." if kept else ""
        )
        return Check("disk", "wrong", f"{detail}: nothing is added", step)
    if free < _LITTLE:
        return Check("disk", "note", f"{detail}: below {ROOM >> 20} MiB nothing is added")
    return Check("disk", "ok", detail)


def _key(session: Session) -> Check:
    from securevec.keyproviders.file import FileRoot

    path = key_file(session, homes.load(session.home))
    if path is None:
        return Check("key file", "ok", "none: this home is opened with a passphrase")
    FileRoot.load(Path(path), session.home)
    return Check("key file", "ok", f"{path}, private, outside the home")


def _key_store(home: Path) -> Check:
    """A write-ahead log keeps destroyed keys on disk, so the key store must not have one."""
    path = home / "keys" / "keys.db"
    step = (
        "Stop whatever else opens keys.db; the next start of a service puts it right. Restore a backup if it is gone."
    )
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError:
        return Check("key store", "wrong", "keys.db cannot be read", step)
    if not head.startswith(_SQLITE):
        return Check("key store", "wrong", "keys.db is damaged, or something else", "Restore keys.db from a backup.")
    if head[18:20] != _ROLLBACK or path.with_name("keys.db-wal").exists():
        return Check("key store", "wrong", "keys.db is in write-ahead mode: destroyed keys would stay on disk", step)
    return Check("key store", "ok", "keys.db keeps a rollback journal, nothing of a destroyed key stays")


def _lock(home: Path) -> Check:
    from securevec.state.engine import lock_holder_present

    if lock_holder_present(home):
        return Check("engine lock", "note", "held by another process: it alone searches and ingests")
    return Check("engine lock", "ok", "free")


def _stores(session: Session) -> Check:
    from securevec.control.migrate import HEAD

    runtime = session.store.runtime
    broken = [name for name in ("control.db", "keys/keys.db") if not _sound(runtime.home / name)]
    if broken:
        step = "Stop every process on this home and restore it from a backup: securevec backup restore --help"
        return Check("stores", "wrong", f"damaged: {' and '.join(broken)}", step)
    kinds = [key.kind for key in runtime.keys.list_keys()]
    single = sum(kind in ("subject", "document") for kind in kinds)
    people = f" ({single} of single people or records)" if single else ""
    tenants = sum(row.state != "deleted" for row in runtime.control.tenants())
    return Check(
        "stores",
        "ok",
        f"opens with this root key; control revision {HEAD}, tenants: {tenants}, keys: {len(kinds)}{people}",
    )


def _sound(path: Path) -> bool:
    """Whether SQLite finds every page of the file in order. Opening a store reads a few of them."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _clock(session: Session) -> Check:
    ahead = session.store.runtime.control.time_floor() - time.time_ns() // 1_000_000
    if ahead > _AHEAD_MS:
        detail = f"this home has seen a time {_ago(ahead // 1000)} ahead of the system's; time stands still until then"
        step = "Set the clock right. If an earlier one was wrong: securevec doctor --reset-time-floor"
        return Check("clock", "wrong", detail, step)
    return Check("clock", "ok", "not behind what this home has seen")


def _collections(session: Session) -> Check:
    """Collections that were filled under another detector, and those that keep no originals."""
    runtime = session.store.runtime
    rows = [
        row
        for tenant in runtime.control.tenants()
        if tenant.state != "deleted"
        for row in runtime.control.collections(tenant.tenant)
    ]
    now = chosen_detector(session).digest
    old = sum(_identity(row.identity).get("detector") != now for row in rows)
    plain = sum(not row.vault for row in rows)
    detail = f"{len(rows)}, {len(rows) - plain} with originals sealed apart, {plain} without"
    figures = {"collections": len(rows), "with_vault": len(rows) - plain, "other_detector": old}
    if not old:
        return Check("collections", "ok", detail, figures=figures)
    step = (
        "They answer once it is accepted: securevec accept-detector --all (accept_new_detector=True in Python, which "
        "knows recognizers of yours). Then ingest again, so that all records follow one detector."
    )
    return Check("collections", "note", f"{detail}; {old} filled under another detector or one of yours", step, figures)


def _identity(text: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = orjson.loads(text)
    return found


def _audit(session: Session) -> Check:
    from securevec.audit.reading import find_open_intents, require_followed
    from securevec.store.opening import audit_kept

    runtime, directory = session.store.runtime, session.store.home / "audit"
    try:
        marks = _checkpoints(directory / runtime.installation_id)
    except OSError as error:
        step = "Let this user own, read and write the home's directory audit. Until then nothing is answered."
        return Check("audit log", "wrong", f"it cannot be read: {os.strerror(error.errno or 0)}", step)
    if not marks and runtime.control.audit_announced():
        step = "Put the directory audit back from a backup. Until then nothing is answered, searched or stored."
        return Check("audit log", "wrong", "it is gone, and the control store knows of lines in it", step)
    if not marks:
        return Check("audit log", "note", "nothing was recorded yet")
    try:
        require_followed(directory, log_id=runtime.installation_id, kept=partial(audit_kept, runtime.control))
    except HomeRefused as error:
        return Check("audit log", "wrong", error.message, error.next_step)
    intents = find_open_intents(directory, log_id=runtime.installation_id)
    detail = f"last signed checkpoint {_ago(max(0, int(time.time() - max(marks))))} ago"
    if intents:
        detail += f"; {len(intents)} intents without a result (in progress, or a crash)"
        return Check("audit log", "note", detail, "Look whether the log is whole: securevec audit verify")
    return Check("audit log", "ok", f"{detail}. Whether it is whole: securevec audit verify")


def _checkpoints(log: Path) -> list[float]:
    """When each writer signed last. Raises ``OSError``, which ``glob`` would take for nothing there."""
    marks: list[float] = []
    with contextlib.suppress(FileNotFoundError):
        for writer in os.listdir(log):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                marks.append((log / writer / "checkpoint").stat().st_mtime)
    return marks


def _ago(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _given(session: Session) -> Check:
    """Vectors of unknown origin may encode what the text no longer says."""
    from securevec.audit import read_tail

    runtime = session.store.runtime
    records = read_tail(runtime.home / "audit", log_id=runtime.installation_id, limit=_RECENT)
    allowed = [record for record in records if record.get("status_id") == _SUCCESS]
    used = sum(b'"unsafe_vectors":true' in orjson.dumps(record) for record in allowed)
    if used:
        detail = f"{used} of the last {len(records)} records are about vectors of unknown origin"
        step = "Make vectors of the anonymized text, and ingest those records again."
        return Check("given vectors", "note", detail, step)
    return Check("given vectors", "ok", f"none of unknown origin in the last {len(records)} records")


def _jobs(session: Session) -> Check:
    from securevec.jobs import FOR_PEOPLE

    left = session.store.runtime.control.jobs(open_only=True)
    kept = sum(job.error in FOR_PEOPLE for job in left)
    failed = sum(bool(job.error) for job in left) - kept
    step = "Carry them on: securevec jobs run --once"
    if left and kept == len(left):
        step = "They go on when the hold is released: securevec hold list TENANT, securevec hold release TENANT HOLD"
        return Check(
            "jobs", "note", f"{kept} not done: a legal hold or a statutory minimum keeps what they are about", step
        )
    if failed:
        return Check("jobs", "wrong", f"{len(left)} not done, {failed} of them failed at their last step", step)
    if left:
        return Check("jobs", "note", f"{len(left)} not done", step)
    return Check("jobs", "ok", "none open")


def _models(session: Session) -> Check:
    """The list of models, and collections whose own embedder it does not allow: they cannot be searched or filled."""
    from securevec.egress.gate import ask, entries_of
    from securevec.policy.models import Use
    from securevec.reopen import description_of

    runtime = session.store.runtime
    try:
        entries = entries_of(runtime)
    except EnvelopeRejected as error:
        return Check("models", "wrong", f"{error.message} No model receives anything", error.next_step)
    if entries is None and runtime.models_required:
        step = "Make one: securevec models allow MODEL --kind embedder|chat --class LABEL"
        return Check("models", "wrong", "no list of models is set, and models.required asks for one", step)
    if entries is None:
        return Check("models", "ok", "no list of models is set: every model may receive everything")
    shut = 0
    for tenant in runtime.control.tenants():
        for row in runtime.control.collections(tenant.tenant) if tenant.state != "deleted" else ():
            model = str(_identity(row.identity)["model"]["name"])
            label = str(description_of(runtime, row)["classification"])
            shut += not ask(runtime, Use(model, "embedder", tenant.tenant, label), row.collection)[0]
    detail = f"a list of {len(entries)} entries; nothing else receives anything"
    if not shut:
        return Check("models", "ok", detail)
    step = "Allow their embedder: securevec models allow MODEL --kind embedder --class LABEL"
    return Check(
        "models",
        "note",
        f"{detail}; {shut} collections cannot be searched or filled: their embedder is not on it",
        step,
    )


def _holds(session: Session) -> Check:
    control = session.store.runtime.control
    active = [
        hold
        for tenant in control.tenants()
        if tenant.state != "deleted"
        for hold in control.holds(tenant.tenant)
        if hold.released_ms is None
    ]
    if not active:
        return Check("holds", "ok", "none")
    oldest = max(0, time.time_ns() // 1_000_000 - min(hold.created_ms for hold in active)) // 1000
    detail = f"legal holds in force: {len(active)}, the oldest for {_ago(oldest)}: what they cover is not deleted"
    return Check("holds", "note", detail)


def _receipts(session: Session) -> Check:
    """Receipts of this home: whether each is still as it was signed, and which could not claim everything."""
    from securevec.audit import verify_log
    from securevec.proof.anchoring import VerifiedLog
    from securevec.proof.receipt import read
    from securevec.store.opening import audit_anchor
    from securevec.store.signingkey import chain_of_home

    runtime = session.store.runtime
    chain, log = chain_of_home(runtime), None
    if chain.successions:  # receipts of keys that were given up hold if the log had them before
        audit, log_id = runtime.home / "audit", runtime.installation_id
        report = verify_log(audit, log_id=log_id, public_key=chain.current, anchor=audit_anchor(runtime.control))
        chain, log = report.chain, VerifiedLog(audit, log_id, report)
    kept = [
        read(job.receipt, public=chain.current, chain=chain, log=log)
        for job in runtime.control.jobs()
        if job.receipt is not None
    ]
    open_ends = sum(any(one.get("verdict") == "unverified" for one in receipt.artefacts) for receipt in kept)
    if open_ends:
        detail = f"{open_ends} of {len(kept)} name something that could not be verified"
        step = "Read what they name: securevec receipt verify FILE. Ask who keeps it."
        return Check("receipts", "note", detail, step)
    return Check("receipts", "ok", f"{len(kept)}, as they were signed, every artefact accounted for")


def _vectors(session: Session) -> Check:
    """Whether each collection of an embedded store that has records has its files: the engine makes a missing directory
    anew, and answers nothing."""
    runtime = session.store.runtime
    name = homes.load(runtime.home).backend
    if name not in _EMBEDDED:
        return Check("vectors", "ok", "not in this home: their store keeps them")
    now_ms, control = time.time_ns() // 1_000_000, runtime.control
    filled = {
        row.shard: records
        for tenant in control.tenants()
        if tenant.state != "deleted"
        for row in control.collections(tenant.tenant)
        if (records := control.count_live(row.collection, now_ms=now_ms)[0])
    }
    place = runtime.home / "engine" / name
    lost = [records for shard, records in filled.items() if not _has_files(place, shard)]
    if lost:
        step = "Put the directory engine back, or make a new home from a backup: securevec backup restore --help"
        detail = f"gone, of {len(lost)} of {len(filled)} collections: nothing is found of {sum(lost):,} records"
        return Check("vectors", "wrong", detail, step)
    records = sum(filled.values())
    detail = f"files are there. Whether they hold all {records:,} records: securevec verify TENANT/COLLECTION"
    return Check("vectors", "ok", detail)


def _has_files(place: Path, shard: str) -> bool:
    """Whether there is what the shard's ``CURRENT`` names (docs/formats.md, section 6)."""
    try:
        named = (place / shard / "CURRENT").read_text(encoding="utf-8").removesuffix("\n")
        return (place / "VERSION").is_file() and named.startswith("gen-") and (place / shard / named).is_dir()
    except (OSError, ValueError):
        return False


_OPENED: Final[tuple[tuple[str, Callable[[Session], Check]], ...]] = (
    ("clock", _clock),
    ("collections", _collections),
    ("vectors", _vectors),
    ("audit log", _audit),
    ("given vectors", _given),
    ("models", _models),
    ("jobs", _jobs),
    ("holds", _holds),
    ("receipts", _receipts),
)
