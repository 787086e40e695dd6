"""Which points may become records: not the second of one id, and not over a record that came from elsewhere."""

from __future__ import annotations

from collections.abc import Hashable

from securevec.control.rows import ManifestRow
from securevec.errors import FileConflict
from securevec.files.plan import HALF
from securevec.files.state import SourceState
from securevec.imports.options import ImportOptions
from securevec.retention.rules import expired
from securevec.writing.batching import Candidate


class Conflicts:
    """Of one tenant's points, in the order they come."""

    def __init__(self, options: ImportOptions) -> None:
        self._options = options
        self._seen: set[Hashable] = set()

    def require_first(self, record: Hashable) -> None:
        """Raises :class:`FileConflict` for a second point of one id. Points' own ids are different by themselves."""
        if self._options.id_field is None:
            return
        if record in self._seen:
            raise FileConflict("An earlier point of the source has the same id.")
        self._seen.add(record)

    def require_own(self, candidate: Candidate, row: ManifestRow | None, state: SourceState, *, now_ms: int) -> str:
        """What would happen: ``new``, ``updated`` or ``unchanged``.

        Raises :class:`FileConflict` when a record is there that this source did not bring, or that was changed since:
        a program that already writes to securevec is not set back by the store it left.
        """
        if row is None or expired(row.expires_ms, now_ms=now_ms):
            return "new"
        if row.content_digest == candidate.digest:
            return "unchanged"
        known = state.known.get(candidate.ref)
        if not self._options.replace and (known is None or known[HALF:] != row.content_digest):
            raise FileConflict(
                "A record of this id is there that this source did not bring, or that was changed since.",
                next_step="Pass --replace to store the source's.",
            )
        return "updated"
