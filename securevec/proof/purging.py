"""Removing bytes with proof: a probe before, the store's ``purge`` or ``drop``, the probe again, and a verdict.

``removed from live files`` needs all of this:

1. Something of the removed points could be looked for, and the files are under this home.
2. The probe works on these files. Either every needle was found before the removal, or living neighbours, points that
   stay, are found after it by the same pass. Where points stay, the neighbours must be found in any case.
3. No needle is found after the removal, and the store says that it removed bytes.

Whatever lacks one of them is ``unverified``. A vector that a living point of the namespace also has (equal anonymized
text) cannot be told apart in files; it is left out and counted in ``shared``, and so is a set of terms. The sealed text
of a point is its own.

The probe reads the namespace's own files, where the engine keeps it in a directory named by its shard, and otherwise
everything below ``home/engine``. It never reads control or key store: to open and close a SQLite file drops this
process's locks on it, and neither holds sealed bodies or vectors.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from securevec.backend import RemovalReport, VectorBackend
from securevec.errors import BackendError, SecurevecError
from securevec.proof.probe import Needles, Standing, standing
from securevec.proof.receipt import Artefact, Verdict
from securevec.proof.traces import TOLERANCE
from securevec.state.runtime import Runtime
from securevec.text import utf8_size
from securevec.types import Namespace, StoredPoint, Terms, Vector

_ENVELOPES: Final = ("b", "v")
_HEADER_TEXT: Final = 30
"""Bytes of text that hold an envelope's 24 header bytes, which points under one key have in common."""
_FEWEST_TERMS: Final = 5
_NEIGHBOURS: Final = 3
_TWINS: Final = 16
_PAGE: Final = 512
_NOTHING: Final = Standing(frozenset(), frozenset())
_OF_THE_STORE: Final = ("backend", "points", "bytes_removed", "residual")


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What a removal did, and what was seen of it. Holds counts only, so it may be kept in a job row.

    ``needles``: sealed texts and vectors looked for. ``control``: those found before. ``found``: those found after.
    ``neighbours``, ``seen``: texts and vectors of living points looked for after, and found. ``shared``: vectors left
    out because a living point has the same. ``points``: what ``drop`` counted. ``ran``: files were read. ``packed``:
    sets of terms that were not looked for, because the engine's log no longer spelled them out before.
    """

    backend: str
    points: int
    bytes_removed: bool | None
    residual: str
    ran: bool
    needles: int
    control: int
    found: int
    neighbours: int = 0
    seen: int = 0
    shared: int = 0
    packed: int = 0

    @property
    def verdict(self) -> Verdict:
        shown = self.control == self.needles or self.neighbours > 0
        works = self.ran and self.needles > 0 and shown and self.seen == self.neighbours
        return "removed from live files" if works and self.found == 0 and self.bytes_removed is True else "unverified"

    @property
    def evidence(self) -> str:
        """What the probe saw, in words for a receipt."""
        if not self.ran:
            return "byte probe: not possible, the files are not under this home"
        if not self.needles:
            return "byte probe: no point could be read to look for"
        words = f"byte probe: {self.control} of {self.needles} found before, {self.found} after"
        if self.neighbours:
            words += f"; living neighbours: {self.seen} of {self.neighbours} found after"
        if self.shared:
            words += f"; {self.shared} vectors or sets of terms not looked for, living points have the same"
        if self.packed:
            words += f"; {self.packed} sets of terms not looked for, the engine had packed them"
        return words

    def artefact(self, name: str, *, method: str, counts: str = "") -> Artefact:
        """The entry of a receipt. ``counts`` are words about points, put before the probe's."""
        evidence = f"{counts}; {self.evidence}" if counts else self.evidence
        return Artefact(name, method, self.verdict, evidence, self.residual)

    def to_json(self) -> dict[str, Any]:
        """As a job row keeps it."""
        values = asdict(self)
        return {key: values.pop(key) for key in _OF_THE_STORE} | {"probe": values}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ProbeOutcome:
        return cls(**{key: data[key] for key in _OF_THE_STORE}, **data["probe"])


def needles_of(points: Iterable[StoredPoint]) -> Needles:
    """What to look for of these points, which were fetched with vectors before they are deleted.

    Envelopes are looked for from the nonce on: what stands before it is the same in all points under one key.
    """
    held = list(points)
    bodies = [point.payload.get(key) for point in held for key in _ENVELOPES]
    texts = [body.encode()[_HEADER_TEXT:] for body in bodies if isinstance(body, str) and utf8_size(body) is not None]
    return Needles(
        texts=tuple(text for text in texts if len(text) >= 16),
        vectors=tuple(point.vector for point in held if point.vector is not None),
        terms=tuple(spelled for point in held if point.terms is not None and (spelled := as_logged(point.terms))),
    )


def as_logged(terms: Terms) -> bytes:
    """The indices of a set of terms as Edge's log spells them: CBOR (RFC 8949), each the byte 1A and four bytes,
    highest first, or shorter for a small one. Empty for a set too small to be told from chance.

    In its segments the engine packs them, and nothing tells them from other bytes there; those files are removed whole.
    """
    if len(terms) < _FEWEST_TERMS:
        return b""
    return b"".join(_cbor(number) for number in terms.indices.tolist())


def _cbor(number: int) -> bytes:
    if number < 24:
        return bytes([number])
    size = 1 if number < 2**8 else 2 if number < 2**16 else 4
    return bytes([{1: 0x18, 2: 0x19, 4: 0x1A}[size]]) + number.to_bytes(size, "big")


def purge_with_proof(
    runtime: Runtime, namespace: Namespace, needles: Needles, stood: Standing | None = None
) -> ProbeOutcome:
    """Remove the bytes of points that were already deleted from the namespace, and look for ``needles`` around it.

    ``needles`` are those of the deleted points (:func:`needles_of`), none of which may still be stored; ``stood`` are
    those that were seen in the files before (:mod:`securevec.proof.watching`). The caller keeps other writers of
    the namespace out. Repeatable: after an interruption ``stood`` and the neighbours are the control. Raises what the
    store raises; then nothing is known and the purge is to be repeated.
    """
    backend = runtime.backend()
    return _around(runtime, backend, namespace, needles, lambda: backend.purge(namespace=namespace), stood or _NOTHING)


def drop_with_proof(runtime: Runtime, namespace: Namespace, needles: Needles) -> ProbeOutcome:
    """Remove the whole namespace, and look for ``needles``, those of some of its points, around it."""
    backend = runtime.backend()
    return _around(runtime, backend, namespace, needles, lambda: backend.drop(namespace=namespace))


def own_files(runtime: Runtime, namespace: Namespace) -> list[Path]:
    """What the engine keeps of the namespace, on its way in or out too; empty where nothing is named by its shard."""
    try:
        return [path for path in _engine(runtime).glob("*/*") if namespace.shard in path.name]
    except OSError as error:
        said = os.strerror(error.errno or 0)
        raise BackendError("The engine's files cannot be listed.", next_step=f"The system says: {said}.") from error


def stands(runtime: Runtime, namespace: Namespace, needles: Needles) -> Standing:
    """Which needles stand in the files now; none where the files are not under this home."""
    if not _readable(runtime, runtime.backend()):
        return _NOTHING
    return _look(runtime, namespace, needles, apart=bool(own_files(runtime, namespace)))


def found_in_own_files(runtime: Runtime, namespace: Namespace, needles: Needles) -> int:
    """How many needles stand in the namespace's own files: the control of a removal that may be interrupted."""
    return len(_look(runtime, namespace, needles, apart=True))


def sample(backend: VectorBackend, namespace: Namespace, count: int) -> Needles:
    """Needles of the first ``count`` points of a namespace."""
    return needles_of(_some_points(backend, namespace, count))


def _around(
    runtime: Runtime,
    backend: VectorBackend,
    namespace: Namespace,
    needles: Needles,
    remove: Callable[[], RemovalReport],
    stood: Standing = _NOTHING,
) -> ProbeOutcome:
    ran = _readable(runtime, backend)
    apart = bool(own_files(runtime, namespace))
    # What was seen of all of them before stays seen; nothing is gained by another look then.
    before = stood if len(stood) == len(needles) else _both(stood, stands(runtime, namespace, needles))
    # Of a set that the engine has packed already, bytes can show neither that it stands nor that it is gone.
    packed = len(needles.terms) - len(before.terms)
    needles = Needles(needles.texts, needles.vectors, tuple(needles.terms[number] for number in sorted(before.terms)))
    report = remove()
    neighbours = _neighbours(backend, namespace) if ran else Needles((), ())
    after = _look(runtime, namespace, joined(needles, neighbours), apart=apart) if ran else _NOTHING
    ours = Standing(
        frozenset(number for number in after.texts if number < len(needles.texts)),
        frozenset(number for number in after.vectors if number < len(needles.vectors)),
        frozenset(number for number in after.terms if number < len(needles.terms)),
    )
    shared = {number for number in ours.vectors if _lives(backend, namespace, needles.vectors[number])}
    worded = {number for number in ours.terms if _has_twin(backend, namespace, needles.terms[number])}
    return ProbeOutcome(
        backend=backend.name,
        points=report.points,
        bytes_removed=report.bytes_removed,
        residual=report.residual,
        ran=ran,
        needles=len(needles) - len(shared) - len(worded),
        control=len(before.texts) + len(before.vectors - shared) + len(needles.terms) - len(worded),
        found=len(ours) - len(shared) - len(worded),
        neighbours=len(neighbours),
        seen=len(after) - len(ours),
        shared=len(shared) + len(worded),
        packed=packed if ran else 0,
    )


def _both(one: Standing, other: Standing) -> Standing:
    return Standing(one.texts | other.texts, one.vectors | other.vectors, one.terms | other.terms)


def _readable(runtime: Runtime, backend: VectorBackend) -> bool:
    """Whether the store's files are under this home."""
    return backend.capabilities.embedded and not backend.capabilities.volatile and _engine(runtime).is_dir()


def _look(runtime: Runtime, namespace: Namespace, needles: Needles, *, apart: bool) -> Standing:
    """The probe, of the namespace's own files (``apart``) or of everything below the engine's root."""
    if not len(needles):
        return _NOTHING
    return standing(own_files(runtime, namespace) if apart else [_engine(runtime)], needles)


def _engine(runtime: Runtime) -> Path:
    return runtime.home / "engine"


def _neighbours(backend: VectorBackend, namespace: Namespace) -> Needles:
    living = needles_of(_some_points(backend, namespace, _NEIGHBOURS))
    return Needles(living.texts, living.vectors)


def _some_points(backend: VectorBackend, namespace: Namespace, count: int) -> list[StoredPoint]:
    page = backend.scan(namespace=namespace, where=None, cursor=None, limit=count)
    return backend.fetch(namespace=namespace, ids=[point.id for point in page.points], with_vectors=True)


def _lives(backend: VectorBackend, namespace: Namespace, vector: Vector) -> bool:
    """Whether a living point of the namespace has this very vector."""
    with contextlib.suppress(SecurevecError):
        near = backend.query(namespace=namespace, vector=vector, where=None, limit=_TWINS)
        held = backend.fetch(namespace=namespace, ids=[point.id for point in near], with_vectors=True)
        return any(
            point.vector is not None and np.allclose(point.vector, vector, rtol=0.0, atol=2 * TOLERANCE)
            for point in held
        )
    return False


def _has_twin(backend: VectorBackend, namespace: Namespace, spelled: bytes) -> bool:
    """Whether a living point of the namespace has this very set of terms. Looks through all of them: it is asked only
    where the set was found again."""
    with contextlib.suppress(SecurevecError):
        cursor: str | None = None
        while True:
            page = backend.scan(namespace=namespace, where=None, cursor=cursor, limit=_PAGE)
            held = backend.fetch(namespace=namespace, ids=[point.id for point in page.points], with_vectors=True)
            if any(point.terms is not None and as_logged(point.terms) == spelled for point in held):
                return True
            cursor = page.cursor
            if cursor is None:
                return False
    return False


def joined(*parts: Needles) -> Needles:
    return Needles(
        tuple(text for part in parts for text in part.texts),
        tuple(vector for part in parts for vector in part.vectors),
        tuple(spelled for part in parts for spelled in part.terms),
    )
