"""Where a listing goes on: an opaque text that names the last record seen, bound to its tenant and collection.

The record stands in it as its ref, a keyed hash; a second keyed hash says that this collection issued it
(docs/formats.md section 4). It is no permission: every page is decided and audited as if it were the first.
"""

from __future__ import annotations

import base64
import binascii
from hmac import compare_digest
from typing import Final

from securevec.crypto.derive import cursor_mac
from securevec.errors import QueryError
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef

_VERSION: Final = b"\x01"
_SIZE: Final = 1 + 16 + 16


def issue(runtime: Runtime, collection: CollectionScope, ref: RecordRef) -> str:
    """The cursor of a page whose last record is ``ref``: 44 characters of the URL-safe base64 alphabet."""
    key = runtime.keys.tenant_key(collection.tenant, "id")
    return base64.urlsafe_b64encode(_VERSION + ref + cursor_mac(key, collection.collection, ref)).decode()


def read(runtime: Runtime, collection: CollectionScope, cursor: object) -> RecordRef:
    """The last record seen. Raises :class:`QueryError` for anything this collection did not issue."""
    raw = b""
    if isinstance(cursor, str):
        try:
            raw = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error, ValueError):
            raw = b""
    ref = RecordRef(raw[1:17])
    key = runtime.keys.tenant_key(collection.tenant, "id")
    known = len(raw) == _SIZE and raw[:1] == _VERSION
    if not known or not compare_digest(raw[17:], cursor_mac(key, collection.collection, ref)):
        # Raised outside the handler: the codec's error carries what the caller gave.
        raise QueryError("The cursor is not one of this collection.", next_step="Begin again without a cursor.")
    return ref
