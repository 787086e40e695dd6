"""The facade: :class:`SecureStore` -> :class:`Tenant` -> :class:`Collection`."""

from securevec.store.collection import Collection
from securevec.store.secure_store import SecureStore
from securevec.store.tenant import Tenant

__all__ = ["Collection", "SecureStore", "Tenant"]
