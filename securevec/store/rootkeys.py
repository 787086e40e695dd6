"""Which provider keeps a home's root key, how it is fetched, and how it is exchanged (docs/keys.md).

``installation.json`` remembers up to three generations: the present root key, one that a rotation is bringing in, and
earlier ones that are kept so that a key-store backup of their time still opens. The rows of the key store name the root
key they stand under, and that decides: a rotation that was killed at any step leaves a home that opens.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from securevec.crypto.root import RootKey, Roots
from securevec.errors import ConfigError, HomeRefused, KeyDestroyed, KeyRejected, KeyUnavailable
from securevec.keyproviders.file import FileProvider
from securevec.keyproviders.passphrase import PassphraseProvider
from securevec.keyproviders.provider import Provider
from securevec.locks import FileLock
from securevec.state import home as homes
from securevec.state.runtime import Runtime

KEPT: Final = 1
"""Earlier root keys that are kept by default."""
MAX_STALE_S: Final = 900.0

Step = Callable[[str], None]
"""Called with the name of each step of a rotation as it begins."""


@dataclass(frozen=True, slots=True)
class RootRotation:
    """What a rotation of the root key did. ``retired`` says per root key given up what became of it."""

    key_id: str
    rewrapped: int
    resumed: bool
    kept: tuple[str, ...]
    retired: tuple[Mapping[str, Any], ...]


def new_provider(home: Path, *, key_file: Path | None, passphrase: str | None, keys: Provider | None) -> Provider:
    """The provider of a home that is made now. Raises :class:`ConfigError` for more than one."""
    if sum(each is not None for each in (key_file, passphrase, keys)) > 1:
        raise ConfigError("A home has a key file, a passphrase or another key provider, not two of them.")
    if keys is not None:
        return keys
    return PassphraseProvider(passphrase) if passphrase is not None else FileProvider(key_file, home)


def provider_of(
    home: Path,
    installation: homes.Installation,
    *,
    key_file: Path | None,
    passphrase: str | None,
    keys: Provider | None = None,
) -> Provider:
    """The provider of a home that is there. Raises :class:`KeyRejected` when the caller brought another kind."""
    kind = installation.key_provider.get("kind")
    if kind == "passphrase" and isinstance(keys, PassphraseProvider):
        return keys
    if kind == "passphrase":
        if passphrase is None or keys is not None:
            raise KeyRejected("This home is opened with a passphrase.", next_step="Set SECUREVEC_PASSPHRASE.")
        return PassphraseProvider(passphrase)
    if kind == "file":
        if passphrase is not None or keys is not None:
            raise KeyRejected("This home is opened with a key file, and with nothing else.")
        return FileProvider(key_file, home)
    if kind not in ("pkcs11", "aws-kms"):
        raise HomeRefused("The home's key provider is not one this release knows.")
    if keys is None or keys.kind != kind:
        raise KeyRejected(
            f"This home's root key is kept by {kind}, and no such key provider was given.",
            next_step="Pass SecureStore.open(keys=...), or set the provider's variables: docs/keys.md",
        )
    return keys


def roots_of(
    home: Path,
    installation: homes.Installation,
    provider: Provider,
    *,
    ttl_s: float | None = None,
    stale_s: float = 0.0,
) -> Roots:
    """The root keys of a home. ``ttl_s`` applies to a provider that can withdraw a key. Raises :class:`ConfigError`."""
    if not 0 <= stale_s <= MAX_STALE_S:
        raise ConfigError("A key is used without its provider for 0 to 900 seconds.")

    def fetch(key_id: str) -> RootKey:
        # The description as it was at the opening first: a restored or copied one may stand elsewhere.
        try:
            return _find(installation, provider, key_id)
        except KeyRejected as error:
            with contextlib.suppress(HomeRefused):
                now = homes.described(home)
                if now != installation:
                    return _find(now, provider, key_id)
            raise error

    return Roots(fetch, ttl_s=ttl_s if provider.remote else None, stale_s=stale_s)


def open_root(
    home: Path,
    installation: homes.Installation,
    *,
    key_file: Path | None,
    passphrase: str | None,
    keys: Provider | None = None,
) -> Roots:
    """The root keys of a home under the provider that its description names. Raises :class:`KeyRejected`, and
    :class:`HomeRefused` for a key file that lies under ``home``."""
    provider = provider_of(home, installation, key_file=key_file, passphrase=passphrase, keys=keys)
    return roots_of(home, installation, provider)


def rotate_root(runtime: Runtime, *, keep: int = KEPT, step: Step = lambda _: None) -> RootRotation:
    """A new root key, everything under the old one wrapped again, root keys older than ``keep`` given up.

    Or the end of a rotation that was interrupted. Other processes go on meanwhile. Raises :class:`ConfigError` for a
    negative ``keep``, :class:`KeyUnavailable` when another process rotates or the provider does not answer; then the
    home is as before or the same call finishes it.
    """
    if keep < 0:
        raise ConfigError("The number of earlier root keys to keep is not negative.")
    provider, keys, home = runtime.key_provider, runtime.keys, runtime.home
    if provider is None:
        raise ConfigError("This store was opened without a key provider.")
    with _rotating(home):
        said = homes.described(home)
        found = None if said.next_key_provider is None else _successor(said, provider, keys.root_id())
        if found is None:
            step("create")
            root, remembered = provider.create(said.installation_id, successor=True)
            said = replace(said, next_key_provider={**remembered, "key_id": root.key_id})
            homes.rewrite(home, said)
        else:
            root = found
        step("rewrap")
        rewrapped = keys.rewrap_root(root)
        step("promote")
        new = said.next_key_provider or {}
        provider.promote(new, said.installation_id)
        step("switch")
        previous = (said.key_provider, *said.previous_key_providers)
        said = replace(said, key_provider=new, next_key_provider=None, previous_key_providers=previous)
        homes.rewrite(home, said)
        retired: list[Mapping[str, Any]] = []
        while len(said.previous_key_providers) > keep:
            step("retire")
            *kept, oldest = said.previous_key_providers
            evidence = provider.retire(oldest, said.installation_id)
            entry = {
                "key_id": str(oldest.get("key_id", "")),
                "retired_ms": runtime.clock.now_ms(),
                "evidence": evidence,
            }
            retired.append(entry)
            said = replace(said, previous_key_providers=tuple(kept), retired_roots=(*said.retired_roots, entry))
            homes.rewrite(home, said)
    return RootRotation(
        key_id=root.key_id,
        rewrapped=rewrapped,
        resumed=found is not None,
        kept=tuple(str(each.get("key_id", "")) for each in said.previous_key_providers),
        retired=tuple(retired),
    )


def _find(installation: homes.Installation, provider: Provider, key_id: str) -> RootKey:
    known = [installation.key_provider, installation.next_key_provider, *installation.previous_key_providers]
    refused: KeyRejected | None = None
    for params in known:
        if params is None or params.get("key_id", key_id) != key_id:
            continue
        try:
            root = provider.load(params, installation.installation_id)
        except KeyRejected as error:
            refused = error
            continue
        if root.key_id == key_id:
            return root
    if any(each.get("key_id") == key_id for each in installation.retired_roots):
        raise KeyDestroyed("The key store is wrapped under a root key that was given up; it is too old to be opened.")
    raise refused or KeyRejected(
        "The key store is wrapped under another root key than this one.",
        next_step="Check the passphrase or key; if it is right, restore key store and installation.json together.",
    )


def _successor(said: homes.Installation, provider: Provider, live: str) -> RootKey | None:
    """The root key that an interrupted rotation brought in; ``None`` when it is lost and nothing stands under it."""
    params = said.next_key_provider
    if params is None:
        return None
    try:
        return provider.load(params, said.installation_id)
    except (KeyRejected, KeyDestroyed):
        if params.get("key_id") == live:
            raise
    except KeyUnavailable:
        if params.get("key_id") == live or provider.remote:
            raise
    return None


@contextlib.contextmanager
def _rotating(home: Path) -> Generator[None]:
    """One rotation at a time. The lock is on the directory, so it leaves nothing behind and ends with its process."""
    try:
        lock = FileLock(home / "keys")
    except OSError as error:
        raise KeyUnavailable("The key store cannot be read.", next_step="Check the home's owner.") from error
    try:
        lock.take()
    except BlockingIOError as error:
        lock.close()
        raise KeyUnavailable("Another process exchanges the root key now.", next_step="Wait for it.") from error
    try:
        yield
    finally:
        lock.close()
