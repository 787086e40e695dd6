"""What is measured of a collection rather than read from it: the part of :class:`Collection` that answers figures."""

from __future__ import annotations

from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Uncopied
from securevec.verbs.cloak_report import SAMPLE, CloakReport, cloak_report
from securevec.verbs.leakage import Leakage, leakage


class CollectionMeasures(Uncopied):
    """Figures over all live records. They need the permission ``count``, for all of them: the answer is numbers."""

    _runtime: Runtime
    _scope: CollectionScope

    def leakage(self) -> Leakage:
        """Measure what the keyed tokens of filter fields tell by their frequency, over all live records.

        Opens every record. Needs the permission ``count``, for all of them: the answer is numbers.
        """
        return leakage(self._runtime, self._scope)

    def cloak_report(self, *, sample: int = SAMPLE) -> CloakReport:
        """Measure what each strength of a cloak does with this collection's own vectors, whatever it was made with.

        Recall, time, and how many records somebody identifies who reads the store and has a list of candidate texts.
        Every strength gets a key of its own that is thrown away. Needs the permission ``count``, for all records.

        Args:
            sample: how many records are measured at most, from 100 to 2,000.

        Raises:
            UsageError: there are fewer than 100 records.
            PolicyDenied: the policy shows the actor a part only.
        """
        return cloak_report(self._runtime, self._scope, sample=sample)
