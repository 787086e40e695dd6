"""Every error securevec raises, in one tree.

    SecurevecError
    ├── UsageError                 the caller's input is wrong                         exit 2
    │   ├── ConfigError            unknown setting, secret in a file, bad value
    │   ├── SchemaError            a Record class that cannot be honoured
    │   │   └── CollectionMismatch the collection was made with another model, schema or detector
    │   ├── RecordError            one bad record, or some documents of a call; names row and field
    │   │   └── UnscopedPoint      a point of another program's store that names no tenant, or several
    │   ├── FilterError            unknown field, empty clause, wrong type
    │   ├── LimitExceeded          something is larger than docs/formats.md allows
    │   ├── VectorError            NaN, infinite, zero or wrong-length vector
    │   ├── QueryError             an empty query or one that cannot be read
    │   ├── HybridUnavailable      hybrid search where the collection or the store keeps no terms
    │   ├── RetentionConflict      retention rules that contradict each other, or a collection's own retention
    │   ├── SourceError            a file or folder that cannot be read as records
    │   │   ├── FileUnsafe         a link, a device, or something not inside its folder
    │   │   ├── FileUnreadable     permissions, an input error, or changed while it was read
    │   │   ├── FileCorrupt        damaged, or not what its name says
    │   │   ├── FileLocked         needs a password
    │   │   ├── FileMismatch       this kind of file does not fit the collection
    │   │   ├── FileConflict       its record came from another source
    │   │   └── ParserFailed       its parser died, or took too long or too much
    │   ├── MissingExtra           an optional dependency is not installed
    │   └── UnsupportedPlatform    this part does not run here
    ├── Refused                    understood, and not allowed                         exit 3
    │   ├── PolicyDenied           the actor may not do this
    │   ├── TenantNotFound         no such tenant, or not for this actor
    │   ├── TenantUnavailable      suspended, being deleted, or deleted
    │   ├── CollectionNotFound
    │   ├── RecordNotFound
    │   ├── LegalHold              a hold forbids the deletion
    │   ├── RetentionMinimum       a statutory minimum keeps the record
    │   ├── SubjectErased          a record carries an erased subject while writing about it is fenced
    │   ├── QuotaExceeded          the tenant's points or bytes would pass its quota
    │   ├── SyncRefused            a sync that would delete on the word of a source that cannot be trusted
    │   ├── IsolationViolation     more than half of an answer did not belong here
    │   ├── HomeRefused            unsafe home: permissions, key file inside, foreign or newer format
    │   └── VaultDisabled          the collection keeps no originals
    ├── CheckFailed                a check found something wrong                       exit 1
    │   ├── EnvelopeRejected       a sealed value does not open in this place
    │   ├── AuditTampered          the audit log was edited, cut, reordered or rewritten
    │   ├── PlanChanged            a retention plan no longer matches records, rules or holds
    │   ├── ReceiptInvalid         a receipt's signature or content is wrong
    │   └── ModelDigestMismatch    model weights differ from the pinned digest
    ├── Unavailable                something needed did not answer                     exit 4
    │   ├── EngineLocked           another process holds the embedded engine
    │   ├── EngineForked           used in a forked child
    │   ├── BackendError           the vector store failed
    │   │   ├── CredentialRejected the vector store does not accept the key it was given
    │   │   └── ServerTooOld       the vector store's version lacks what isolation needs
    │   ├── KeyUnavailable         the key provider or key store did not answer
    │   ├── KeyRejected            wrong passphrase or wrong key file
    │   ├── UnknownKey             a sealed value names a key this store never had
    │   ├── KeyDestroyed           the key was destroyed; the value is gone for good
    │   ├── UnknownFormat          version, suite or flag this release does not read
    │   ├── AuditUnavailable       no audit record could be written, so nothing was done
    │   ├── DetectorError          the detector failed or timed out
    │   ├── EmbedderError          the embedder failed
    │   └── ControlUnavailable     the control store failed
    │       └── RecordChanged      another writer replaced or deleted the record first
    └── Incomplete                 begun, and not known to be finished                 exit 5
        ├── OutcomeUnknown         a failure after a write; carries the request id
        ├── WriteNotAcknowledged   read-back does not show what was written or deleted
        ├── DeletionIncomplete     a deletion job has steps left
        ├── Stopped                the caller ended it between two steps
        ├── ImportIncomplete       points are neither stored nor refused, or the source changed meanwhile
        └── Unpinned               integrity holds, but no pinned key says whose it is

A message says what to do next, and never holds content, a key, a name, an id or a value: ``str(error)`` is safe to log.
"""

from __future__ import annotations

from typing import ClassVar


class SecurevecError(Exception):
    """Base of the tree. ``exit_code`` is what the command line returns for it."""

    exit_code: ClassVar[int] = 1
    next_step: str = ""

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step or type(self).next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".rstrip() if self.next_step else self.message


class UsageError(SecurevecError):
    """The caller's input is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting is unknown, misplaced or not usable."""


class SchemaError(UsageError):
    """A Record class, or its description, cannot be honoured."""


class CollectionMismatch(SchemaError):
    """The collection was made with another model, schema, detector or policy."""


class RecordError(UsageError):
    """One record was refused. ``row`` counts from 1 in the source; ``field`` names the field."""

    def __init__(self, message: str, *, field: str | None = None, row: int | None = None, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.field, self.row = field, row


class UnscopedPoint(RecordError):
    """A point of another program's store names no tenant, or several; it was not imported."""


class FilterError(UsageError):
    """A filter names an unknown field, is empty, too large, or of the wrong type. ``field``: the name that it has."""

    def __init__(self, message: str, *, field: str | None = None, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.field = field[:64] if field else field


class LimitExceeded(RecordError):
    """Something is larger than the limits table allows."""


class VectorError(RecordError):
    """A vector is not finite, is zero, or has the wrong length."""


class QueryError(UsageError):
    """A query text cannot be used."""


class HybridUnavailable(UsageError):
    """Hybrid search in a collection that was not made for it, or on a store that cannot keep its terms."""


class RetentionConflict(UsageError):
    """Retention rules contradict each other. ``scopes`` names the kinds of scope that clash, never their names."""

    def __init__(self, message: str, *, scopes: tuple[str, ...], next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.scopes = scopes


class SourceError(UsageError):
    """A source file or folder cannot be read as records."""


class FileUnsafe(SourceError):
    """A symbolic link, a device, a pipe, or something that is not inside its folder; it was not opened."""


class FileUnreadable(SourceError):
    """A file may not be read, failed while it was read, or changed meanwhile."""


class FileCorrupt(SourceError):
    """A file is damaged, or not what its name says."""


class FileLocked(SourceError):
    """A file needs a password."""


class FileMismatch(SourceError):
    """A file is of a kind that does not fit the collection's record class."""


class FileConflict(SourceError):
    """The record of a file's path, or of a point, came from another source; it was left as it is."""


class ParserFailed(SourceError):
    """The parser of a file died, or took more time or memory than it gets; nothing of the file was stored."""


class MissingExtra(UsageError):
    """An optional dependency is not installed; the message carries the pip line."""

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} is not installed.", next_step=f"Run: pip install 'securevec[{extra}]'")
        self.extra = extra


class UnsupportedPlatform(UsageError):
    """This part does not run on this operating system."""


class Refused(SecurevecError):
    """Understood, and not allowed."""

    exit_code = 3


class PolicyDenied(Refused):
    """No rule permits this actor this action, or a rule forbids it."""


class TenantNotFound(Refused):
    """No such tenant for this actor."""


class TenantUnavailable(Refused):
    """The tenant is suspended, being deleted, or deleted."""


class CollectionNotFound(Refused):
    """The tenant has no such collection."""


class RecordNotFound(Refused):
    """The collection has no such record."""


class LegalHold(Refused):
    """A legal hold forbids this. ``hold_id`` names it."""

    def __init__(self, message: str, *, hold_id: str, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.hold_id = hold_id


class RetentionMinimum(Refused):
    """A statutory minimum keeps a record: it is neither deleted nor erased before its age is reached."""

    next_step = "Wait until it has passed. Rules: securevec retention rules"


class SubjectErased(Refused):
    """A record is about, or mentions, a subject that was erased, and the write fence of the erasure still stands."""


class QuotaExceeded(Refused):
    """The write would take the tenant over its quota. ``limit`` is ``points`` or ``bytes``."""

    def __init__(self, message: str, *, limit: str, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.limit = limit


class SyncRefused(Refused):
    """A sync would delete records because a source cannot be read, or shows nothing; none was deleted."""


class IsolationViolation(Refused):
    """More than half of what the store returned did not belong to this place."""


class HomeRefused(Refused):
    """The home directory or the key file is not safe to use, or of a foreign format."""


class VaultDisabled(Refused):
    """The collection keeps no originals, so nothing can be restored."""


class CheckFailed(SecurevecError):
    """A check found something wrong."""

    exit_code = 1


class EnvelopeRejected(CheckFailed):
    """A sealed value does not open in this place: altered, moved, cut, or not sealed at all."""


class AuditTampered(CheckFailed):
    """The audit log was edited, cut, reordered or rewritten. ``position`` names the first bad place."""

    def __init__(self, message: str, *, position: str = "", next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.position = position


class PlanChanged(CheckFailed):
    """A retention plan no longer matches: records, rules or holds changed since it was made. Nothing was done."""

    next_step = "Make a new plan: securevec retention plan"


class ReceiptInvalid(CheckFailed):
    """A receipt's signature or content is wrong."""


class ModelDigestMismatch(CheckFailed):
    """Model weights on disk differ from the pinned digest."""


class Unavailable(SecurevecError):
    """Something needed did not answer, or cannot be used now."""

    exit_code = 4


class EngineLocked(Unavailable):
    """Another process holds the embedded engine of this home."""


class EngineForked(Unavailable):
    """The store was opened before a fork and used in the child."""


class BackendError(Unavailable):
    """The vector store failed; the cause is kept."""


class CredentialRejected(BackendError):
    """The vector store does not accept the API key, or got none. The key itself is in no message."""


class ServerTooOld(BackendError):
    """The vector store's server lacks something that isolation rests on. Nothing was read or written."""


class KeyUnavailable(Unavailable):
    """The key provider or the key store did not answer."""


class KeyRejected(Unavailable):
    """The passphrase or key file does not open this installation."""


class UnknownKey(Unavailable):
    """A sealed value names a key this key store never had."""


class KeyDestroyed(Unavailable):
    """The key was destroyed; what it sealed is gone for good."""


class UnknownFormat(Unavailable):
    """A format version, suite or flag this release does not read."""


class AuditUnavailable(Unavailable):
    """No audit record could be written, so the operation was not carried out."""


class DetectorError(Unavailable):
    """The detector failed, timed out, or was given more than it takes."""


class EmbedderError(Unavailable):
    """The embedder failed or answered with something unusable."""


class ControlUnavailable(Unavailable):
    """The control store failed."""


class RecordChanged(ControlUnavailable):
    """Another writer replaced or deleted the record while this one was making its next version. Nothing was written."""


class Incomplete(SecurevecError):
    """Begun, and not known to be finished."""

    exit_code = 5


class OutcomeUnknown(Incomplete):
    """A failure after a write began. Look the request up by ``request_id`` in the audit log."""

    def __init__(self, message: str, *, request_id: str, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.request_id = request_id


class WriteNotAcknowledged(Incomplete):
    """Reading back by id does not show what was written or deleted."""


class DeletionIncomplete(Incomplete):
    """A deletion job has steps left. ``job_id`` names it."""

    def __init__(self, message: str, *, job_id: str, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.job_id = job_id


class Stopped(Incomplete):
    """The caller asked a running operation to end, and it did between two steps. Acknowledged steps stay."""


class ImportIncomplete(Incomplete):
    """The source changed while it was read, or points are neither stored nor refused. A second run goes on."""


class Unpinned(Incomplete):
    """The signature is sound, but no pinned key says whose it is."""
