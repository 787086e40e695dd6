"""The list of models: one sealed document, replaced as a whole. Nobody here knows what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from securevec.control.database import Database, Row
from securevec.control.room import Room
from securevec.errors import ControlUnavailable

SELECT_MODELS: Final = "SELECT sealed FROM model_list WHERE id = 1"
SELECT_MODEL_ROWS: Final = "SELECT sealed, changed_ms FROM model_list"
INSERT_MODELS: Final = "INSERT INTO model_list (id, sealed, changed_ms) VALUES (1, :sealed, :now)"
DELETE_MODELS: Final = "DELETE FROM model_list"
SELECT_LABEL: Final = "SELECT classification FROM collection WHERE collection = :collection AND tenant = :tenant"


class Models(Room):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        # Replaced as a whole, as the fences are.
        self._models: tuple[int, bytes | None] = (-1, None)

    def model_list(self) -> bytes | None:
        """The sealed list as committed now; ``None`` where none is set. Remembered until anyone commits anything, so
        every call of a model may ask."""
        version = self._db.version()
        known, sealed = self._models
        if known != version:
            row = self._db.row(SELECT_MODELS)
            sealed = None if row is None else bytes(row[0])
            self._models = (version, sealed)
        return sealed

    def replace_model_list(self, sealed: bytes, *, expect: bytes | None, now_ms: int) -> None:
        """Put a list in the place of the one that was ``expect``; ``None`` where there was none yet. A list that is
        cleared stands here too, and says so.

        Raises :class:`ControlUnavailable` when another process changed it meanwhile: nothing was done.
        """
        with self._db.write() as tx:
            row = tx.row(SELECT_MODELS)
            if (None if row is None else bytes(row[0])) != expect:
                raise ControlUnavailable(
                    "Another process changed the list of models meanwhile.", next_step="Look at it, and try again."
                )
            tx.run(DELETE_MODELS)
            tx.run(INSERT_MODELS, {"sealed": sealed, "now": now_ms})

    def take_model_list(self, rows: Sequence[Row]) -> None:
        """Put a newer store's list (:data:`SELECT_MODEL_ROWS`) in the place of this one's, for a home that is being
        restored: what was denied since the backup stays denied."""
        with self._db.write() as tx:
            tx.run(DELETE_MODELS)
            for sealed, changed_ms in rows:
                tx.run(INSERT_MODELS, {"sealed": sealed, "now": changed_ms})

    def classification_of(self, tenant: str, collection: str) -> str | None:
        """The classification token of a collection as committed now; ``None`` when the tenant has none such."""
        row = self._db.row(SELECT_LABEL, {"tenant": tenant, "collection": collection})
        return None if row is None else str(row[0])
