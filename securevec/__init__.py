"""Tenant isolation, anonymization before embedding, envelope encryption, proven erasure and tamper-evident audit,
in front of vector stores.

    store = SecureStore.open("./helpdesk")
    acme = store.tenant("acme", create=True, actor=Actor("svc:helpdesk", purpose="support"))
    tickets = acme.collection(Ticket, retention="180d")
    tickets.ingest("tickets.csv")
    hits = tickets.search("refund never arrived", where=F("status") == "open", k=5)
"""

from securevec import errors
from securevec.anonymize import recognizer
from securevec.crypto.cloak import Cloak
from securevec.errors import SecurevecError
from securevec.files.options import FileOptions
from securevec.files.page import Page
from securevec.files.report import FilesPreview, FilesReport
from securevec.filters import F
from securevec.hits import Hit, SearchResult
from securevec.imports.options import ImportOptions
from securevec.imports.report import ImportPreview, ImportReport
from securevec.integrations.passage import Passage
from securevec.policy import Actor
from securevec.report import IngestReport
from securevec.schema import Embed, Filter, Key, Record, Seal, Subject, marks
from securevec.store import Collection, SecureStore, Tenant

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
    "Hit",
    "ImportOptions",
    "ImportPreview",
    "ImportReport",
    "IngestReport",
    "Key",
    "Page",
    "Passage",
    "Record",
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
