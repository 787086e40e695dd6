"""What can be reached from an object that lives long, and how much it holds."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import FrameType, FunctionType, ModuleType, TracebackType


def kept_by(root: object, *leaves: type) -> Iterator[object]:
    """Each object that can be reached, not through modules, classes, ``leaves`` and what a function only names."""
    seen: set[int] = set()
    left: list[object] = [root]
    while left:
        each = left.pop()
        if id(each) in seen or isinstance(each, (ModuleType, type, FrameType, *leaves)):
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, TracebackType):
            continue
        if isinstance(each, BaseException):  # its traceback is no referent that the collector is told of
            left.extend([each.__traceback__, each.__cause__, each.__context__])
        elif isinstance(each, FunctionType):
            left.append(each.__closure__)
        else:
            left.extend(gc.get_referents(each))


def tracebacks_kept_by(root: object) -> int:
    return sum(isinstance(each, TracebackType) for each in kept_by(root))


def sizes_kept_by(root: object, *leaves: type) -> dict[int, tuple[str, int, object]]:
    """Containers by their id: what they are, how many members they have, and they themselves, so that no other gets
    their id."""
    return {
        id(each): (type(each).__name__, len(each), each)
        for each in kept_by(root, *leaves)
        if isinstance(each, dict | list | set)
    }
