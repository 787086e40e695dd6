"""Names and where they lead: keyed tokens to look a name up, sealed copies to show it again, namespaces to store under.

Nothing under the home holds the name of a tenant, a collection or an actor in clear. Names belong to the installation,
so that an operator can list tenants; what belongs to a tenant's data is keyed by the tenant's own keys.
"""

from __future__ import annotations

from uuid import UUID

from securevec.audit import keyed_ref
from securevec.crypto import derive
from securevec.crypto.context import Place
from securevec.crypto.envelope import open_sealed, seal
from securevec.errors import ConfigError, UnknownFormat
from securevec.keys.keyring import KeyRing
from securevec.policy import Actor
from securevec.types import CollectionId, Namespace, TenantId


class NameBook:
    """Tokens and sealed names under the installation's keys."""

    __slots__ = ("_actors", "_charge", "_names", "_namespaces", "_sealing")

    def __init__(self, keys: KeyRing) -> None:
        self._names = keys.installation_key("names")
        self._actors = keys.installation_key("actors")
        self._sealing = keys.names_key()
        self._charge = keys.charge_names
        self._namespaces = keys.installation_key("namespaces")

    def __repr__(self) -> str:
        return "NameBook(<hidden>)"

    def tenant_token(self, name: str) -> bytes:
        return derive.tenant_name_token(self._names, name)

    def collection_token(self, tenant: TenantId, name: str) -> bytes:
        return derive.collection_name_token(self._names, tenant, name)

    def classification_token(self, label: str) -> str:
        """32 hex digits that stand for a classification label in retention rules."""
        return derive.classification_token(self._names, label)

    def model_token(self, name: str) -> str:
        """32 hex digits that stand for a model in the audit log."""
        return derive.model_token(self._names, name)

    def actor_token(self, actor: Actor) -> bytes:
        """16 bytes that stand for the actor in grants; the hexadecimal part of :meth:`actor_ref`."""
        return bytes.fromhex(self.actor_ref(actor).rpartition(":")[2])

    def actor_ref(self, actor: Actor) -> str:
        """What the audit log calls the actor. Raises :class:`ConfigError` for what is no actor."""
        if type(actor) is not Actor:  # a look-alike could claim to be the administrator
            raise ConfigError("An actor is made with Actor(...) or Actor.local().")
        return keyed_ref(self._actors, "actors", "actor", actor.name.encode())

    def seal(self, text: str | bytes, *, row: bytes, kind: str) -> bytes:
        """A name (or description) sealed for the row it belongs to. ``row`` is the row's 16-byte id."""
        data = text.encode() if isinstance(text, str) else text
        self._charge()
        return seal(self._sealing, data, _place(row, kind))

    def open(self, sealed: bytes, *, row: bytes, kind: str) -> bytes:
        """The reverse. Raises :class:`EnvelopeRejected` for another row's name."""
        return open_sealed(self._sealing, sealed, _place(row, kind))

    def seal_stand_in(self, stand_in: str, *, part: bytes) -> bytes:
        """What the control store keeps of a surrogate: the made-up name of one may be the real name of another."""
        return self.seal(stand_in, row=part, kind="name-part") if stand_in else b""

    def open_stand_in(self, sealed: bytes, *, part: bytes) -> str:
        """The reverse of :meth:`seal_stand_in`."""
        return self.open_text(sealed, row=part, kind="name-part") if sealed else ""

    def open_text(self, sealed: bytes, *, row: bytes, kind: str) -> str:
        try:
            return self.open(sealed, row=row, kind=kind).decode()
        except UnicodeDecodeError as error:
            raise UnknownFormat("A sealed name is not text.") from error

    def tag(self, tenant: TenantId) -> str:
        """What every namespace of the tenant carries as its ``tenant_tag``."""
        return derive.tenant_tag(self._namespaces, tenant)

    def namespace(self, tenant: TenantId, collection: CollectionId) -> Namespace:
        return Namespace(
            shard=derive.shard(self._namespaces, tenant, collection),
            tenant_tag=self.tag(tenant),
            collection_tag=derive.collection_tag(self._namespaces, tenant, collection),
        )


def _place(row: bytes, kind: str) -> Place:
    return Place(tenant=b"", collection=b"", point=UUID(bytes=row), field=kind)
