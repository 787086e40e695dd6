"""What a check of ``doctor`` answers with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from securevec.errors import SecurevecError

Status = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``detail`` and ``figures`` hold paths, versions and numbers, never content or names of tenants.

    ``note`` is allowed and better known; ``wrong`` needs ``next_step``, and makes the command exit with 1.
    """

    name: str
    status: Status
    detail: str
    next_step: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict[str, Any])


def guarded(name: str, check: Callable[[], Check]) -> Check:
    """The check's answer; an error of ours is an answer too."""
    try:
        return check()
    except SecurevecError as error:
        return Check(name, "wrong", error.message, error.next_step or "See the message.")
