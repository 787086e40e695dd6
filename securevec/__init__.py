"""Tenant isolation, anonymization before embedding, envelope encryption, proven erasure and tamper-evident audit,
in front of vector stores.

    store = SecureStore.open("./helpdesk")
    acme = store.tenant("acme", create=True, actor=Actor("svc:helpdesk", purpose="support"))
    tickets = acme.collection(Ticket, retention="180d")
    tickets.ingest("tickets.csv")
    hits = tickets.search("refund never arrived", where=F("status") == "open", k=5)
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from securevec import errors
    from securevec.anonymize import recognizer
    from securevec.crypto.cloak import Cloak
    from securevec.errors import SecurevecError
    from securevec.files.options import FileOptions
    from securevec.files.page import Page
    from securevec.files.report import FilesPreview, FilesReport
    from securevec.filters import F
    from securevec.imports.options import ImportOptions
    from securevec.imports.report import ImportPreview, ImportReport
    from securevec.integrations.embedding import FunctionEmbedder
    from securevec.integrations.passage import Passage
    from securevec.policy import Actor
    from securevec.reading.hits import Hit, SearchResult
    from securevec.reading.released import Released
    from securevec.schema import Embed, Filter, Key, Record, Seal, Subject, marks
    from securevec.store import Collection, SecureStore, Tenant
    from securevec.writing.report import IngestReport

__all__ = [
    "Actor",
    "Cloak",
    "Collection",
    "Embed",
    "F",
    "FileOptions",
    "FilesPreview",
    "FilesReport",
    "Filter",
    "FunctionEmbedder",
    "Hit",
    "ImportOptions",
    "ImportPreview",
    "ImportReport",
    "IngestReport",
    "Key",
    "Page",
    "Passage",
    "Record",
    "Released",
    "Seal",
    "SearchResult",
    "SecureStore",
    "SecurevecError",
    "Subject",
    "Tenant",
    "errors",
    "marks",
    "recognizer",
]

if not TYPE_CHECKING:
    # A name is imported when it is asked for first: a process that reads documents, or shows a help text, starts
    # without the store, the detector and the keys. Hidden from type checkers, to whom every other name is an error.
    _PLACES = {
        "Actor": "securevec.policy",
        "Cloak": "securevec.crypto.cloak",
        "Collection": "securevec.store",
        "Embed": "securevec.schema",
        "F": "securevec.filters",
        "FileOptions": "securevec.files.options",
        "FilesPreview": "securevec.files.report",
        "FilesReport": "securevec.files.report",
        "Filter": "securevec.schema",
        "FunctionEmbedder": "securevec.integrations.embedding",
        "Hit": "securevec.reading.hits",
        "ImportOptions": "securevec.imports.options",
        "ImportPreview": "securevec.imports.report",
        "ImportReport": "securevec.imports.report",
        "IngestReport": "securevec.writing.report",
        "Key": "securevec.schema",
        "Page": "securevec.files.page",
        "Passage": "securevec.integrations.passage",
        "Record": "securevec.schema",
        "Released": "securevec.reading.released",
        "Seal": "securevec.schema",
        "SearchResult": "securevec.reading.hits",
        "SecureStore": "securevec.store",
        "SecurevecError": "securevec.errors",
        "Subject": "securevec.schema",
        "Tenant": "securevec.store",
        "errors": "securevec",
        "marks": "securevec.schema",
        "recognizer": "securevec.anonymize",
    }

    def __getattr__(name):
        place = _PLACES.get(name)
        if place is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = import_module(f"{__name__}.{name}") if place == __name__ else getattr(import_module(place), name)
        setattr(sys.modules[__name__], name, value)
        return value

    def __dir__():
        # The library's own rooms, once they are loaded, would hide what is meant to be used.
        return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
