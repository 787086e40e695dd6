"""Embedding functions that a stored configuration names. They have been a way to run code, so they are looked for as
data and never loaded (CVE-2026-45829, CVE-2026-45833)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

NO_FUNCTION: Final = (None, {"type": "legacy"}, {"type": "unknown"})
"""How Chroma writes down that a collection was made without an embedding function."""


def embedding_functions(*documents: object) -> Iterator[object]:
    """Every value of a key ``embedding_function``, at any depth of what is stored about a collection."""
    todo = list(documents)
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            for key, value in cast("dict[str, object]", node).items():
                if key == "embedding_function":
                    yield value
                else:
                    todo.append(value)
        elif isinstance(node, list):
            todo += cast("list[object]", node)


def function_names(*documents: object) -> tuple[str, ...]:
    """The names of the functions that are stored, each once."""
    names: set[str] = set()
    for function in embedding_functions(*documents):
        if function not in NO_FUNCTION:
            held = cast("dict[str, object]", function) if isinstance(function, dict) else {}
            name = held.get("name")
            names.add(name if isinstance(name, str) else "unnamed")
    return tuple(sorted(names))


def space_of(*documents: object) -> str:
    """The distance by which the collection compares: the first ``space`` that is found, Chroma's default without."""
    todo = list(documents)
    while todo:
        node = todo.pop(0)
        if isinstance(node, dict):
            held = cast("dict[str, object]", node)
            for key in ("space", "hnsw:space"):
                if isinstance(space := held.get(key), str):
                    return space
            keys = held.get("keys")
            # The schema of 1.x speaks of fields by their names; that of the vectors is the one that counts.
            todo += [keys["#embedding"]] if isinstance(keys, dict) and "#embedding" in keys else held.values()
    return "l2"
