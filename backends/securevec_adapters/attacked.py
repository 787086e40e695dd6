"""What the attempts of ``securevec attack`` with a vendor's client get and answer with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

Seen = tuple[bool, str]
"""Whether the server alone allowed it, and what came of it."""


class Row(Protocol):
    """A stored row."""

    @property
    def id(self) -> UUID: ...
    @property
    def vector(self) -> Any: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...
