"""A data key, a place and a sealed value, for whoever attacks sealed values."""

from __future__ import annotations

from uuid import UUID

import pytest

from securevec.crypto.context import Place
from securevec.crypto.envelope import (
    DataKey,
    data_key,
    open_sealed,
    seal,
)
from securevec.crypto.secret import Secret
from securevec.errors import EnvelopeRejected

SECRET = Secret(bytes(range(32)))
TENANT, COLLECTION, KEY_ID = b"T" * 16, b"C" * 16, b"K" * 16
PLACE = Place(tenant=TENANT, collection=COLLECTION, point=UUID(int=7), field="body")
THE_ONE_MESSAGE = "A sealed value does not open in this place."


def key(
    secret: Secret = SECRET,
    *,
    key_id: bytes = KEY_ID,
    tenant: bytes = TENANT,
    collection: bytes = COLLECTION,
    epoch: str = "r0/never",
    suite: int = 1,
) -> DataKey:
    return data_key(
        secret, key_id=key_id, tenant=tenant, collection=collection, purpose="body", epoch=epoch, suite=suite
    )


KEY = key()
BLOB = seal(KEY, b"the value", PLACE)


def refuse(opened_with: DataKey, blob: bytes, place: Place) -> None:
    """It must be refused in the same words whatever is wrong with it, and with no cause that says more."""
    with pytest.raises(EnvelopeRejected) as caught:
        open_sealed(opened_with, blob, place)
    assert str(caught.value) == THE_ONE_MESSAGE
    assert caught.value.__cause__ is None
