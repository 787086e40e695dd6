"""Something needed did not answer, or cannot be used now: exit status 4."""

from __future__ import annotations

from securevec.errors.checks import EnvelopeRejected
from securevec.errors.tree import SecurevecError


class Unavailable(SecurevecError):
    """Something needed did not answer, or cannot be used now."""

    exit_code = 4


class EngineLocked(Unavailable):
    """Another process holds the embedded engine of this home."""


class EngineForked(Unavailable):
    """The store was opened before a fork and used in the child."""


class BackendError(Unavailable):
    """The vector store failed; the cause is kept."""


class BackendTimeout(BackendError):
    """The vector store's server did not answer in the time a request may take. What it was asked to write may be there
    or not: a write is run again."""

    next_step = "Is its server busy, or stopped? securevec doctor tries it. More time: SECUREVEC_SERVER_TIMEOUT=SECONDS"


class CredentialRejected(BackendError):
    """The vector store does not accept the API key, or got none. The key itself is in no message."""


class ServerTooOld(BackendError):
    """The vector store's server lacks something that isolation rests on. Nothing was read or written."""


class KeyUnavailable(Unavailable):
    """The key provider or the key store did not answer."""


class KeyRejected(Unavailable):
    """The passphrase or key file does not open this installation."""


class KeyDisabled(KeyRejected):
    """The key provider does not let the root key be used: disabled, or waiting for its deletion."""


class UnknownKey(Unavailable):
    """A sealed value names a key this key store never had."""


class KeyDestroyed(Unavailable):
    """The key was destroyed; what it sealed is gone for good."""


class BoundKeyDestroyed(KeyDestroyed):
    """The key of the one person or record that a value was bound to was destroyed: it was erased, or deleted."""


class UnknownFormat(Unavailable):
    """A format version, suite or flag this release does not read."""


class UnknownEnvelope(UnknownFormat, EnvelopeRejected):
    """A sealed value says that it is of a format this release does not read: written by another release, or altered.
    Nobody can tell which, so it is both: it does not open, and it is no violation of its store (docs/adr/0024)."""


class AuditUnavailable(Unavailable):
    """No audit record could be written, so the operation ended there."""

    next_step = "Check the space, the owner and the disk of the home's directory `audit`: securevec doctor."


class DetectorError(Unavailable):
    """The detector failed, timed out, or was given more than it takes."""


class EmbedderError(Unavailable):
    """The embedder failed or answered with something unusable."""


class ControlUnavailable(Unavailable):
    """The control store failed."""


class RecordChanged(ControlUnavailable):
    """Another writer replaced or deleted the record while this one was making its next version, or records were removed
    time and again while a file was made of them. Nothing was written."""
