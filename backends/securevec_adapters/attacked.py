"""What the attempts of ``securevec attack`` with a vendor's client get and answer with, and those of them that are the
same with every vendor: made of a few calls that each client has. A vendor's own file has its calls, and the attempts
that are its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

Seen = tuple[bool, str]
"""Whether the server alone allowed it, and what came of it."""
Payloads = Sequence[Mapping[str, Any]]

_MARK: Final = "person1@example.com"
_MANY: Final = 1_000_000


class Row(Protocol):
    """A stored row."""

    @property
    def id(self) -> UUID: ...
    @property
    def vector(self) -> Any: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Copy:
    """A row made of another."""

    id: UUID
    vector: Any
    payload: Mapping[str, Any]


class Attempts(ABC):
    """All rows lie in one place, kept apart by the payload key ``t``. A method is an attempt."""

    _mine: Sequence[Row]
    _theirs: Sequence[Row]

    @abstractmethod
    def _make(self, dimension: int) -> None:
        """One empty place, and none of before."""

    @abstractmethod
    def _put(self, rows: Sequence[Row], changes: Mapping[str, Any] = {}) -> None: ...

    @abstractmethod
    def _by_id(self, point: UUID) -> Payloads: ...

    @abstractmethod
    def _where(self, key: str, value: Any) -> Payloads:
        """Rows whose value at ``key`` is ``value``, or a list that holds it."""

    @abstractmethod
    def _all(self) -> Payloads: ...

    @abstractmethod
    def _near(self, limit: int) -> Payloads:
        """Rows near to a foreign vector."""

    @abstractmethod
    def _count(self) -> int: ...

    @abstractmethod
    def _remove(self, point: UUID) -> None: ...

    def load(self, mine: Sequence[Row], theirs: Sequence[Row]) -> None:
        self._mine, self._theirs = list(mine), list(theirs)
        self._own: str = mine[0].payload["t"]
        self._foreign: str = theirs[0].payload["t"]
        self._make(len(mine[0].vector))
        self._put([*mine, *theirs])

    # -- reading

    def read_by_id(self) -> Seen:
        return self._told(self._by_id(self._theirs[0].id))

    def query_by_vector(self) -> Seen:
        return self._told(self._near(3))

    def unfiltered_query(self) -> Seen:
        return self._told(self._near(100))

    def unfiltered_scroll(self) -> Seen:
        return self._told(self._all())

    def unfiltered_count(self) -> Seen:
        held = self._count()
        return held > len(self._mine), f"{held} rows counted, {len(self._mine)} of them own"

    def callers_filter(self) -> Seen:
        return self._told(self._where("t", self._foreign))

    def recreated_tenant(self) -> Seen:
        return self.callers_filter()

    def array_tenant(self) -> Seen:
        both = [self._own, self._foreign]
        self._put([self._theirs[0]], {"t": both})
        return any(row["t"] == both for row in self._where("t", self._own)), "a row of two tenants answers both"

    def json_path(self) -> Seen:
        self._put([self._theirs[0]], {"meta": {"owner": "x"}})
        return self._told(self._where("meta.owner", "x"))

    def unbounded(self) -> Seen:
        return True, f"a limit of 1,000,000 was taken, {len(self._near(_MANY))} rows returned"

    # -- writing

    def delete_by_id(self) -> Seen:
        self._remove(self._theirs[0].id)
        return not self._by_id(self._theirs[0].id), "a foreign row deleted"

    def overwrite_by_id(self) -> Seen:
        self._put([self._theirs[0]], {"t": self._own})
        return self._serves(self._theirs[0], "t", self._own), "a foreign row overwritten, its owner changed"

    def retag(self) -> Seen:
        return self.overwrite_by_id()

    def upsert_merge(self) -> Seen:
        row = self._mine[0]
        self._put([Copy(row.id, row.vector, {"t": self._own})])
        return "b" in self._by_id(row.id)[0], "an upsert replaces the payload as a whole"

    def list_ghosts(self) -> Seen:
        for tags in (["a", "b"], ["b"]):
            self._put([self._mine[0]], {"tags": tags})
        found = self._where("tags", "a")
        return bool(found), f"{len(found)} rows found by a list value that was removed"

    # -- rows and files

    def relabelled_row(self) -> Seen:
        return self.retag()

    def copied_row(self) -> Seen:
        row = self._theirs[0]
        copy = Copy(uuid4(), row.vector, {**row.payload, "t": self._own})
        self._put([copy])
        return self._serves(copy, "b", row.payload["b"]), "a copy of a foreign row is served as an own one"

    def swapped(self) -> Seen:
        one, two = self._mine[:2]
        self._put([one], {"b": two.payload["b"]})
        return self._serves(one, "b", two.payload["b"]), "a row with another row's body is served"

    def rolled_back(self) -> Seen:
        row = self._mine[0]
        self._put([row], {"b": "new"})
        self._put([row])
        return self._serves(row, "b", row.payload["b"]), "the row of before is served"

    def plaintext(self) -> Seen:
        return self._kept("b", "not sealed"), "a body that is not sealed is served"

    def edited_metadata(self) -> Seen:
        self._put([self._mine[0]], {"f_status": "edited"})
        return bool(self._where("f_status", "edited")), "a row is found by an edited value"

    def text_in_rows(self) -> Seen:
        return self._kept("text", _MARK), "text is kept as it is given"

    # -- parts

    def _vector(self) -> list[float]:
        return as_list(self._theirs[0])

    def _told(self, found: Payloads) -> Seen:
        told = sum(row.get("t") == self._foreign for row in found)
        return bool(told), f"{told} foreign rows returned"

    def _kept(self, key: str, value: str) -> bool:
        self._put([self._mine[0]], {key: value})
        return self._serves(self._mine[0], key, value)

    def _serves(self, row: Row, key: str, value: object) -> bool:
        found = self._by_id(row.id)
        return bool(found) and found[0].get(key) == value


class AttemptsOnFiles(Attempts):
    """And those on a store whose files lie on this machine."""

    @abstractmethod
    def _folder(self) -> Path:
        """Where they lie, with all that was acknowledged in them."""

    def files_in_clear(self) -> Seen:
        self._put([self._mine[0]], {"text": _MARK})
        return self._in_files(), "the text is in the store's files"

    def deleted_on_disk(self) -> Seen:
        self._put([self._mine[0]], {"text": _MARK})
        self._remove(self._mine[0].id)
        return self._in_files(), "the text of a deleted row is in the store's files"

    def _in_files(self) -> bool:
        return any(_MARK.encode() in path.read_bytes() for path in self._folder().rglob("*") if path.is_file())


def payloads(found: Sequence[Any]) -> Payloads:
    """Those of a vendor's points."""
    return [point.payload or {} for point in found]


def as_list(row: Row) -> list[float]:
    """A row's vector as vendors take it."""
    return [float(value) for value in row.vector]
