"""What the control store knows of a source: which records came from it, and which files need not be read again.

It holds keyed hashes and digests only. A source is a folder by its absolute path, or a name the caller gives it, so
that a checkout that lies elsewhere each time stays the same source. A record belongs to the source it was stored
from: a file of another source under the same path does not replace it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from securevec.crypto.derive import file_digest, member_token, source_token
from securevec.crypto.kdf import lp
from securevec.files.plan import HALF
from securevec.reading.live import whole_records
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef

PARSERS: Final = b"1"
"""Raised with every change of the parsers that gives other texts, so that unchanged files are read again."""


class SourceState:
    """One source of one collection."""

    def __init__(self, runtime: Runtime, collection: CollectionScope, name: str, *, encoding: str | None) -> None:
        self._runtime = runtime
        self._collection = collection
        id_key = runtime.keys.tenant_key(collection.tenant, "id")
        self._content_key = runtime.keys.tenant_key(collection.tenant, "content")
        self._how = lp(collection.identity_digest, PARSERS, (encoding or "").encode())
        self.token = source_token(id_key, collection.collection, os.fsencode(name))
        self.known: dict[bytes, bytes] = runtime.control.source_files(collection.collection, self.token)
        """Ref to 32 bytes: what the record was read from (see below), then the content digest it was stored with."""

    def digest_of(self, ref: RecordRef, data: bytes) -> bytes:
        """What a document's record is read from: its bytes, and how they are read. Safe to call from any thread."""
        content = hashlib.sha256(data).digest()
        return file_digest(self._content_key, self._collection.collection, ref, content, self._how)

    def member_of(self, path: str) -> bytes:
        """What a row's record is read from: its file."""
        return member_token(self._content_key, self._collection.collection, os.fsencode(path))

    def settled(self, refs: Sequence[RecordRef]) -> dict[RecordRef, bytes]:
        """Those of the refs whose record is live, whole and as this source left it, each with what it was read from."""
        known = {ref: self.known[ref] for ref in refs if ref in self.known}
        if not known:
            return {}
        current = self._runtime.control.current(self._collection.collection, list(known))
        whole = whole_records(
            self._runtime,
            self._collection,
            {ref: digest[HALF:] for ref, digest in known.items()},
            current,
            now_ms=self._runtime.clock.now_ms(),
        )
        return {ref: known[ref][:HALF] for ref in whole}

    def of_others(self, refs: Sequence[RecordRef]) -> set[bytes]:
        """Those of the refs that another source is known to hold now, and this one is not."""
        return self.listed_by_others([ref for ref in refs if ref not in self.known])

    def listed_by_others(self, refs: Sequence[RecordRef]) -> set[bytes]:
        """Those of the refs that another source is known to hold now. One may have begun since this one did."""
        theirs: set[bytes] = set()
        for other in self._runtime.control.sources(self._collection.collection) if refs else ():
            if other != self.token:
                theirs |= self._runtime.control.listed_files(self._collection.collection, other, refs)
        return theirs

    def forget(self, refs: Sequence[RecordRef]) -> None:
        """These records are no longer this source's."""
        if refs:
            self._runtime.control.forget_source_files(self._collection.collection, self.token, refs)
            for ref in refs:
                self.known.pop(ref, None)

    def note(self, entries: Iterable[tuple[RecordRef, bytes, bytes]]) -> None:
        """Remember refs with what they were read from and their content digests, as far as it is not known already."""
        changed: Mapping[bytes, bytes] = {
            ref: origin + content for ref, origin, content in entries if self.known.get(ref) != origin + content
        }
        if changed:
            self._runtime.control.note_source_files(
                self._collection.collection,
                self.token,
                ((ref, digest[:HALF], digest[HALF:]) for ref, digest in changed.items()),
            )
            self.known.update(changed)
