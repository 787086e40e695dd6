"""The caller's input is wrong: exit status 2."""

from __future__ import annotations

from securevec.errors.tree import SecurevecError


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


class LowEntropy(RecordError):
    """The store could read the tokens of this ``field`` by their frequency, and the field refuses rows then."""


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
