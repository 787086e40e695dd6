"""The conformance suite of ``securevec.backend.VectorBackend``: one class, run for every adapter, or its larger sister
for adapters that keep terms of a hybrid search (``capabilities.sparse``).

    class TestMine(BackendConformance):
        def open(self, root: Path) -> VectorBackend:
            return MyBackend(root / "mine")

``open`` is called with a directory of the test's own. Called again after ``close`` with the same directory it must
show the same points, unless the backend is ``volatile``. Needs pytest and hypothesis. Each test says what to look at
when it fails.
"""

from __future__ import annotations

from securevec.testing.conformance_hybrid import HybridConformance, TermsWithoutAPlace
from securevec.testing.conformance_isolation import IsolationConformance
from securevec.testing.conformance_reads import ReadConformance
from securevec.testing.conformance_writes import WriteConformance

__all__ = ["BackendConformance", "HybridBackendConformance"]


class BackendConformance(IsolationConformance, WriteConformance, ReadConformance, TermsWithoutAPlace):
    """Every rule of :mod:`securevec.backend` for a store without terms. Subclass it as ``Test...``, define ``open``."""


class HybridBackendConformance(BackendConformance, HybridConformance):
    """The same, and the rules of terms."""
