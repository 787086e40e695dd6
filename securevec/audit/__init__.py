"""Who did what, when and with which outcome: a tamper-evident record without content. See docs/formats.md section 7."""

from securevec.audit.abandoned import Abandoned
from securevec.audit.checkpoint import Head
from securevec.audit.directory import is_alive
from securevec.audit.event import (
    Action,
    Event,
    Outcome,
    Phase,
    Refs,
    error_name,
    fold_entities,
    keyed_ref,
    request_id,
)
from securevec.audit.export import FORMATS, Format
from securevec.audit.following import Follower
from securevec.audit.ocsf import summarize
from securevec.audit.proving import Proven, prove, verify_proof
from securevec.audit.reading import find_open_intents, read_between, read_chain, read_tail
from securevec.audit.succession import Keychain, Succession
from securevec.audit.verify import AuditReport, WriterReport, verify_log
from securevec.audit.writer import AuditRef, AuditWriter

__all__ = [
    "FORMATS",
    "Abandoned",
    "Action",
    "AuditRef",
    "AuditReport",
    "AuditWriter",
    "Event",
    "Follower",
    "Format",
    "Head",
    "Keychain",
    "Outcome",
    "Phase",
    "Proven",
    "Refs",
    "Succession",
    "WriterReport",
    "error_name",
    "find_open_intents",
    "fold_entities",
    "is_alive",
    "keyed_ref",
    "prove",
    "read_between",
    "read_chain",
    "read_tail",
    "request_id",
    "summarize",
    "verify_log",
    "verify_proof",
]
