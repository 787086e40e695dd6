"""Where the demo plays: its directories, its store, and its two tenants."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from securevec.cli.demo.corpus import Corpus, Labelled
from securevec.cli.demo.stage import Stage
from securevec.errors import UsageError

if TYPE_CHECKING:
    from securevec.policy import Actor
    from securevec.schema import Record
    from securevec.store import Collection, SecureStore, Tenant
    from securevec.testing.embedders import TapEmbedder
    from securevec.types import Namespace, StoredPoint


@dataclass(frozen=True, slots=True)
class Places:
    """Directories of one run. The key file lies beside the home, never in it."""

    base: Path

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def key_file(self) -> Path:
        return self.base / "root.key"

    @property
    def public_key(self) -> Path:
        return self.base / "public.pem"

    @property
    def receipt(self) -> Path:
        return self.base / "northgate.receipt.json"

    @property
    def scratch(self) -> Path:
        """For copies the demo tampers with; removed at the end."""
        return self.base / "scratch"


def make_places(keep: Path | None) -> Places:
    """A new directory: the one asked for, which must be empty or absent, or a temporary one."""
    if keep is None:
        base = Path(tempfile.mkdtemp(prefix="securevec-demo-"))
    else:
        try:
            base = keep.expanduser().resolve()
            if base.exists() and (not base.is_dir() or any(base.iterdir())):
                raise UsageError("The directory for the demo is not empty.", next_step="Name a new one.")
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (OSError, RuntimeError) as error:
            raise UsageError(
                "The directory for the demo cannot be made.", next_step="Name one where you may write."
            ) from error
    places = Places(base)
    places.scratch.mkdir(mode=0o700)
    return places


@dataclass(frozen=True, slots=True)
class House:
    """One tenant: who works for it, its handle and collection, and what was planted in its file (for scoring)."""

    name: str
    actor: Actor
    tenant: Tenant
    tickets: Collection[Record]
    namespace: Namespace
    planted: tuple[Labelled, ...]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(row.id for row in self.planted if row.id is not None)


@dataclass(slots=True)
class Scene:
    """Everything a step needs."""

    stage: Stage
    corpus: Corpus
    places: Places
    store: SecureStore
    tap: TapEmbedder
    rows: int | None
    houses: dict[str, House] = field(default_factory=dict[str, House])

    @property
    def larkfield(self) -> House:
        return self.houses["larkfield"]

    @property
    def northgate(self) -> House:
        return self.houses["northgate"]

    def point(self, house: House, text: str) -> StoredPoint:
        """The stored point nearest to a text, with its vector, as the engine gives it."""
        hit = house.tickets.search(text, k=1)[0]
        backend = self.store.runtime.backend()
        return backend.fetch(namespace=house.namespace, ids=[hit.point], with_vectors=True)[0]


def write_settings(places: Places) -> None:
    """A settings file in the home that names the key file, so that the home can be opened by its path alone."""
    path = places.home / "securevec.toml"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f'[keys]\nfile = "../{places.key_file.name}"\n')
