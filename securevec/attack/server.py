"""The server alone: the same attempts with the vendor's own client, on copies of the very rows the library stored, all
in one place and told apart by the tenant's tag, as a service without securevec would keep them.

Each adapter's distribution brings the attempts of its vendor (``securevec_qdrant.attack_server`` and so on) as the
class ``ServerAlone``; a method is an attempt. The core imports no vendor, so the module is found by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from securevec.attack.case import Cell

if TYPE_CHECKING:
    from pathlib import Path

    from securevec.attack.rows import Row
    from securevec.backend import VectorBackend

_MODULES: Final[Mapping[str, str]] = {
    "edge": "securevec_qdrant.attack_edge",
    "qdrant": "securevec_qdrant.attack_server",
    "chroma": "securevec_chroma.attack",
}
NOWHERE: Final[Mapping[str, str]] = {
    "cache": "the vendor's client keeps no answers",
    "audit": "the vendor keeps no audit record that could be read here",
    "ours": "the vendor's client has nothing like it",
    "lies": "the lie is the server's own",
}


class Vendor(Protocol):
    """What such a module's ``ServerAlone`` has besides its attempts. ``absent`` says why a path does not exist."""

    absent: Mapping[str, str]

    def load(self, mine: Sequence[Row], theirs: Sequence[Row]) -> None:
        """Put both tenants' rows into one fresh place."""
        ...

    def close(self) -> None:
        """Remove everything that was made."""
        ...


class Nothing:
    """For stores without a vendor."""

    absent: Mapping[str, str] = {}

    def load(self, mine: Sequence[Row], theirs: Sequence[Row]) -> None:
        return None

    def close(self) -> None:
        return None


def server_alone(backend: VectorBackend, directory: Path) -> Vendor:
    """The vendor's client beside an opened adapter. Files, where there are any, go under ``directory``."""
    module = _MODULES.get(backend.name)
    if module is None:
        return Nothing()
    made: Any = importlib.import_module(module)
    return cast("Vendor", made.ServerAlone(backend, directory))


def attempt(vendor: Vendor, path: str, mine: Sequence[Row], theirs: Sequence[Row]) -> Cell:
    """Whether the server alone allows it: ``passed``, ``held``, or ``not there`` with the reason."""
    if path in NOWHERE:
        return Cell("not there", NOWHERE[path])
    if isinstance(vendor, Nothing):
        return Cell("not there", "no server behind this store")
    if path in vendor.absent:
        return Cell("not there", vendor.absent[path])
    try:
        vendor.load(mine, theirs)
        allowed, says = getattr(vendor, path)()
    except (AttributeError, TypeError, NameError) as error:
        return Cell("failed", f"the attempt itself is wrong: {type(error).__name__}")
    except Exception as error:  # noqa: BLE001  # whatever a vendor raises is its refusal, and is named
        return Cell("held", f"refused: {type(error).__name__}")
    return Cell("passed" if allowed else "held", says)
