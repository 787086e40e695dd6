"""Vendor failures become :class:`BackendError` here, with the cause kept and none of its text repeated.

Vendor messages quote payloads, ids and addresses. The message of the error we raise never does, so ``str(error)``
stays safe to log; whoever debugs has ``__cause__``.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from securevec.errors import BackendError, SecurevecError


@contextmanager
def mapped(doing: str) -> Generator[None]:
    """Raise :class:`BackendError` for whatever a vendor call inside raises; our own errors pass through."""
    try:
        yield
    except SecurevecError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # an engine panic arrives as a BaseException
        raise BackendError(f"The vector store failed while {doing}.") from error
