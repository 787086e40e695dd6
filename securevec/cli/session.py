"""One command's surroundings: its options, the settings that apply, the actor, and the store once it is opened."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from securevec.cli.failure import DEBUG
from securevec.cli.output import Output
from securevec.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from securevec.config import Settings
    from securevec.embed import Embedder
    from securevec.keyproviders.provider import Provider
    from securevec.policy import Actor
    from securevec.schema import Record
    from securevec.store import Collection, SecureStore, Tenant


@dataclass(frozen=True, slots=True)
class Options:
    """The common options as typed. ``None`` was not given."""

    json: bool = False
    home: Path | None = None
    key_file: Path | None = None
    actor: str | None = None
    purpose: str | None = None
    wait: float | None = None


class Session:
    """Opens at most one store, at first use, and closes it when the command ends."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.out = Output(as_json=options.json)
        self.backend: str | None = None
        """Where the command itself says that vectors lie; to be set before anything else is asked for."""
        self.frees = False
        """Whether this command removes something, so that it may have the home's reserve of disk space; to be set
        before the store is opened."""
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        if self.options.wait:
            from securevec.state.engine import PATIENCE, Patience

            token = PATIENCE.set(Patience(self.options.wait, self.out.waiting))
            self._closing.callback(PATIENCE.reset, token)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @cached_property
    def settings(self) -> Settings:
        """Raises :class:`ConfigError`."""
        from securevec.config import load_settings

        environment = {name: value for name, value in os.environ.items() if name != DEBUG}
        given = {"home": self.options.home, "key_file": self.options.key_file, "backend": self.backend}
        return load_settings(env=environment, overrides=given)

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def home_was_named(self) -> bool:
        """Whether somebody chose the home, rather than nobody."""
        return any(item.name == "store.home" and item.source != "default" for item in self.settings.settings)

    @cached_property
    def actor(self) -> Actor:
        """Who asks. The default is the local administrator, and is said once, so that nobody is it unknowingly."""
        from securevec.config import ACTOR
        from securevec.policy import Actor

        named = self.options.actor or os.environ.get(ACTOR) or None
        purpose = self.options.purpose or ""
        if named is not None:
            return Actor.parse(named, purpose)
        actor = Actor.local(purpose)
        self.out.say(f"acting as {actor.name} (administrator)")
        return actor

    @cached_property
    def store(self) -> SecureStore:
        """The home, opened. A missing one is refused: only ``init`` makes one."""
        return self.open_store(create=False)

    def open_store(self, *, create: bool) -> SecureStore:
        """Raises what :meth:`securevec.SecureStore.open` does."""
        from securevec.store import SecureStore

        settings = self.settings
        chosen = next(item for item in settings.settings if item.name == "store.backend")
        return self._closing.enter_context(
            SecureStore.open(
                settings.home,
                backend=settings.backend if create or chosen.source != "default" else None,
                key_file=settings.key_file,
                passphrase=self._passphrase(new=create),
                keys=self.key_service(),
                embedder=self.embedder(),
                actor=self.actor,
                create=create,
                plain_http_hosts=settings.plain_http_hosts,
                layout=settings.layout,
                grpc_port=settings.grpc_port,
                open_shards=settings.open_shards,
                server_timeout=settings.server_timeout,
                recall=settings.detect_recall,
                pattern_engine=settings.detect_engine,
                names=settings.detect_names,
                models_required=settings.models_required,
                suite=settings.key_suite,
                key_cache_ttl=settings.key_cache_ttl,
                use_reserve=self.frees,
            )
        )

    def tenant(self, name: str) -> Tenant:
        return self.store.tenant(name, actor=self.actor)

    def collection(self, place: str) -> Collection[Record]:
        """The existing collection that ``TENANT/COLLECTION`` names."""
        tenant, collection = split_place(place)
        return self.tenant(tenant).existing_collection(collection)

    def require_manager(self) -> None:
        """Admit the actor to look after the installation, and record that it did.

        Raises :class:`PolicyDenied` for anybody but the local administrator.
        """
        from securevec.guard import admit
        from securevec.state.runtime import Scope
        from securevec.types import TenantId

        runtime = self.store.runtime
        scope = Scope(
            tenant=TenantId(""),
            actor=self.actor,
            actor_token=runtime.names.actor_token(self.actor),
            actor_ref=runtime.names.actor_ref(self.actor),
        )
        admit(runtime, scope, permission="tenant.manage", action="config").note()

    def embedder(self) -> Embedder | None:
        """The embedder that the settings ask for; ``None`` is the default one."""
        if self.settings.embed_threads is None:
            return None
        from securevec.embed.minilm import MiniLM

        return MiniLM(threads=self.settings.embed_threads)

    def passphrase_of(self, described: Path) -> str | None:
        """The passphrase of the home whose description lies in this directory; ``None`` when it has a key file."""
        return self._read_passphrase(new=False) if self._kind(described) == "passphrase" else None

    def key_service(self, described: Path | None = None) -> Provider | None:
        """The token or key management service of the home, or of the one described there; ``None`` for other kinds."""
        from securevec.keyproviders.choosing import provider_from

        return provider_from(self._kind(described), os.environ)

    def _kind(self, described: Path | None = None) -> str:
        """The kind of key provider as the home says, if there is one; else as the settings say."""
        from securevec.state import home as homes

        if described is not None:
            return str(homes.described(described).key_provider.get("kind"))
        if homes.exists(self.home):
            return str(homes.load(self.home).key_provider.get("kind"))
        return self.settings.key_provider

    def _passphrase(self, *, new: bool) -> str | None:
        return self._read_passphrase(new=new) if self._kind() == "passphrase" else None

    def _read_passphrase(self, *, new: bool) -> str:
        from securevec.config import PASSPHRASE, PASSPHRASE_FILE, read_passphrase

        if os.environ.get(PASSPHRASE) or os.environ.get(PASSPHRASE_FILE) or not sys.stdin.isatty():
            return read_passphrase(os.environ)
        return _ask(new=new)


def split_place(place: str) -> tuple[str, str]:
    """``TENANT/COLLECTION`` as two names. Raises :class:`UsageError`."""
    tenant, separator, collection = place.partition("/")
    if not separator or not tenant or not collection or "/" in collection:
        raise UsageError(
            "A place is written TENANT/COLLECTION, two names with one slash between.",
            next_step="For example acme/tickets.",
        )
    return tenant, collection


def _ask(*, new: bool) -> str:
    from getpass import getpass

    first = getpass("Passphrase: ")
    if not first:
        raise ConfigError("The passphrase is empty.")
    if new and getpass("Again: ") != first:
        raise ConfigError("The two passphrases differ.", next_step="Run the command again.")
    return first
