"""What somebody else does in the middle of a call of ours, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def meanwhile(patch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], Any]) -> None:
    """``act`` is done right before the next call of ``owner.name``, which then goes on, and before none after it."""
    honest = getattr(owner, name)

    def first(*given: Any, **named: Any) -> Any:
        patch.setattr(owner, name, honest)
        act()
        return honest(*given, **named)

    patch.setattr(owner, name, first)
