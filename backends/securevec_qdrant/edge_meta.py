"""What is known of a shard beside the engine: what it was made for, and its vector index (``shard.json``,
docs/formats.md 6), and how a shard with such an index is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, NamedTuple, get_args

from qdrant_edge import AcornSearchParams, SearchParams

from securevec.backend import CollectionSpec, FieldKind
from securevec.errors import BackendError, VectorError
from securevec_adapters.errors import mapped
from securevec_adapters.layout import replace_file

META: Final = "shard.json"
BREADTH: Final = 256
"""``hnsw_ef`` of an index whose breadth was not written down."""
_ROOM_FOR_BEST: Final = 4
"""An index is looked through at least this many times as broadly as there are points asked for."""
_SCANNED: Final = 20
"""Points that a scan looks at in the time the index takes for one candidate."""
GONE: Final = 0.01
"""Share of its points that may be gone from an index that is used."""
FILTERED: Final = 100_000
"""Points up to which a filtered search scans what the filter leaves. The index finds less than it should: it was built
for other neighbours."""
_AROUND: Final = AcornSearchParams(enable=True, max_selectivity=1.0)
"""In larger shards it also walks over the neighbours of neighbours that the filter leaves out."""
_NOT_KNOWN: Final = -1
"""Written for ``gone`` while a shard is written: it was not closed."""
_EXACTLY: Final = SearchParams(exact=True)


class Indexed(NamedTuple):
    """A shard's vector index: of how many points, how broadly it is looked through (0: the scan is better), how many
    points were written since, and how many of those in it are gone since, deleted or written anew."""

    points: int
    breadth: int
    since: int = 0
    gone: int = 0

    @property
    def whole(self) -> bool:
        """Whether nearly all points it was built of are still there. The engine does not walk over others, so what lies
        behind them is not found: of the ten nearest 0.2 percent where one percent is gone, 15 where 30 percent are."""
        return self.gone <= GONE * self.points


NOTHING: Final = Indexed(0, 0)


def search_params(index: Indexed, limit: int, *, filtered: bool = False) -> SearchParams:
    """How a shard with this index is asked for ``limit`` points."""
    breadth = index.breadth and max(index.breadth, _ROOM_FOR_BEST * limit)
    if not 0 < _SCANNED * breadth < index.points or not index.whole:
        return _EXACTLY
    if filtered:
        return _EXACTLY if index.points <= FILTERED else SearchParams(hnsw_ef=breadth, acorn=_AROUND)
    return SearchParams(hnsw_ef=breadth)


def write_meta(path: Path, spec: CollectionSpec, index: Indexed = NOTHING, *, in_use: bool = False) -> None:
    """Replace what ``shard.json`` says. ``in_use``: what becomes of the index is known when the shard is closed."""
    meta: dict[str, object] = {
        "dimension": spec.dimension,
        "distance": spec.distance,
        "filter_keys": dict(sorted(spec.filter_keys.items())),
        "format": 1,
    }
    if spec.sparse:
        meta["sparse"] = True
    if index.points:
        gone = _NOT_KNOWN if in_use else index.gone
        meta |= {"vector_index": index.points, "breadth": index.breadth, "since": index.since, "gone": gone}
    with mapped("describing a shard"):
        # One of an index replaces another while the shard is in use; a new shard is synced as a whole.
        replace_file(path, json.dumps(meta, separators=(",", ":")), synced=bool(index.points))


def read_meta(path: Path) -> tuple[CollectionSpec, Indexed]:
    """What ``shard.json`` says. Raises :class:`BackendError` when it is missing or of another format."""
    try:
        meta = json.loads(path.read_bytes())
        if meta["format"] != 1 or meta["distance"] != "cosine" or type(meta["dimension"]) is not int:
            raise ValueError("format")
        keys = {str(key): kind for key, kind in meta["filter_keys"].items()}
        if any(kind not in get_args(FieldKind) for kind in keys.values()):
            raise ValueError("kind")
        points, gone = meta.get("vector_index", 0), meta.get("gone", _NOT_KNOWN)
        index = Indexed(
            points, meta.get("breadth", BREADTH), meta.get("since", 0), points if gone == _NOT_KNOWN else gone
        )
        if any(type(number) is not int or number < 0 for number in index):
            raise ValueError("vector_index")
        spec = CollectionSpec(meta["dimension"], "cosine", keys, sparse=meta.get("sparse") is True)
        return spec, index if index.points else NOTHING
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, VectorError) as error:
        raise BackendError("A shard's description is missing or of another format.") from error
