"""Every error securevec raises, in one tree.

    SecurevecError
    ├── UsageError                 the caller's input is wrong                         exit 2
    │   ├── ConfigError            unknown setting, secret in a file, bad value
    │   ├── SchemaError            a Record class that cannot be honoured
    │   │   └── CollectionMismatch the collection was made with another model, schema or detector
    │   ├── RecordError            one bad record, or some documents of a call; names row and field
    │   │   ├── LowEntropy         tokens of the field could be read by their frequency
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
    │   │   └── ModelNotAllowed    the list of models does not let this model receive this
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
    │   ├── BackupRejected         a backup was altered, is not whole, or is another installation's
    │   ├── ReceiptInvalid         a receipt's signature or content is wrong
    │   └── ModelDigestMismatch    model weights differ from the pinned digest
    ├── Unavailable                something needed did not answer                     exit 4
    │   ├── EngineLocked           another process holds the embedded engine
    │   ├── EngineForked           used in a forked child
    │   ├── BackendError           the vector store failed
    │   │   ├── BackendTimeout     its server took longer than a request may take
    │   │   ├── CredentialRejected the vector store does not accept the key it was given
    │   │   └── ServerTooOld       the vector store's version lacks what isolation needs
    │   ├── KeyUnavailable         the key provider or key store did not answer
    │   ├── KeyRejected            wrong passphrase or wrong key file
    │   ├── UnknownKey             a sealed value names a key this store never had
    │   ├── KeyDestroyed           the key was destroyed; the value is gone for good
    │   │   └── BoundKeyDestroyed  that of the one person the value was bound to: the person was erased
    │   ├── UnknownFormat          version, suite or flag this release does not read
    │   │   └── UnknownEnvelope    of a sealed value; also an EnvelopeRejected
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

from securevec.errors.checks import (
    AuditTampered,
    BackupRejected,
    CheckFailed,
    EnvelopeRejected,
    ModelDigestMismatch,
    PlanChanged,
    ReceiptInvalid,
)
from securevec.errors.incomplete import (
    DeletionIncomplete,
    ImportIncomplete,
    Incomplete,
    OutcomeUnknown,
    Stopped,
    Unpinned,
    WriteNotAcknowledged,
)
from securevec.errors.refused import (
    CollectionNotFound,
    HomeRefused,
    IsolationViolation,
    LegalHold,
    ModelNotAllowed,
    PolicyDenied,
    QuotaExceeded,
    RecordNotFound,
    Refused,
    RetentionMinimum,
    SubjectErased,
    SyncRefused,
    TenantNotFound,
    TenantUnavailable,
    VaultDisabled,
)
from securevec.errors.tree import (
    SecurevecError,
)
from securevec.errors.unavailable import (
    AuditUnavailable,
    BackendError,
    BackendTimeout,
    BoundKeyDestroyed,
    ControlUnavailable,
    CredentialRejected,
    DetectorError,
    EmbedderError,
    EngineForked,
    EngineLocked,
    KeyDestroyed,
    KeyDisabled,
    KeyRejected,
    KeyUnavailable,
    RecordChanged,
    ServerTooOld,
    Unavailable,
    UnknownEnvelope,
    UnknownFormat,
    UnknownKey,
)
from securevec.errors.usage import (
    CollectionMismatch,
    ConfigError,
    FileConflict,
    FileCorrupt,
    FileLocked,
    FileMismatch,
    FileUnreadable,
    FileUnsafe,
    FilterError,
    HybridUnavailable,
    LimitExceeded,
    LowEntropy,
    MissingExtra,
    ParserFailed,
    QueryError,
    RecordError,
    RetentionConflict,
    SchemaError,
    SourceError,
    UnscopedPoint,
    UnsupportedPlatform,
    UsageError,
    VectorError,
)

__all__ = [
    "AuditTampered",
    "AuditUnavailable",
    "BackendError",
    "BackendTimeout",
    "BackupRejected",
    "BoundKeyDestroyed",
    "CheckFailed",
    "CollectionMismatch",
    "CollectionNotFound",
    "ConfigError",
    "ControlUnavailable",
    "CredentialRejected",
    "DeletionIncomplete",
    "DetectorError",
    "EmbedderError",
    "EngineForked",
    "EngineLocked",
    "EnvelopeRejected",
    "FileConflict",
    "FileCorrupt",
    "FileLocked",
    "FileMismatch",
    "FileUnreadable",
    "FileUnsafe",
    "FilterError",
    "HomeRefused",
    "HybridUnavailable",
    "ImportIncomplete",
    "Incomplete",
    "IsolationViolation",
    "KeyDestroyed",
    "KeyDisabled",
    "KeyRejected",
    "KeyUnavailable",
    "LegalHold",
    "LimitExceeded",
    "LowEntropy",
    "MissingExtra",
    "ModelDigestMismatch",
    "ModelNotAllowed",
    "OutcomeUnknown",
    "ParserFailed",
    "PlanChanged",
    "PolicyDenied",
    "QueryError",
    "QuotaExceeded",
    "ReceiptInvalid",
    "RecordChanged",
    "RecordError",
    "RecordNotFound",
    "Refused",
    "RetentionConflict",
    "RetentionMinimum",
    "SchemaError",
    "SecurevecError",
    "ServerTooOld",
    "SourceError",
    "Stopped",
    "SubjectErased",
    "SyncRefused",
    "TenantNotFound",
    "TenantUnavailable",
    "Unavailable",
    "UnknownEnvelope",
    "UnknownFormat",
    "UnknownKey",
    "Unpinned",
    "UnscopedPoint",
    "UnsupportedPlatform",
    "UsageError",
    "VaultDisabled",
    "VectorError",
    "WriteNotAcknowledged",
]
