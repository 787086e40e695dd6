"""What an import takes from which field. Values, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from securevec.errors import UsageError


@dataclass(frozen=True, slots=True, repr=False)
class ImportOptions:
    """How the points of a foreign collection become records of tenants.

    Fields of nested payloads are named with dots, such as ``metadata.tenant``. The text of a Chroma point is
    ``document``.

    Args:
        collection: the collection of the source.
        text_field: what is anonymized, embedded and sealed.
        tenant_field: the field whose value says the tenant; text or a whole number.
        tenant: instead of ``tenant_field``: the tenant of every point.
        id_field: the record's id; default is the point's own. Points that share one are refused, all but the first.
        tenants: from values of ``tenant_field`` to names of tenants. Values it leaves out are refused.
        replace: also replace records that are there already and were not brought by this source.

    Raises :class:`UsageError`.
    """

    collection: str
    text_field: str
    tenant_field: str | None = None
    tenant: str | None = None
    id_field: str | None = None
    tenants: Mapping[str, str] | None = None
    replace: bool = False

    def __post_init__(self) -> None:
        if (self.tenant_field is None) == (self.tenant is None):
            raise UsageError(
                "An import needs the field that says the tenant, or the tenant of every point, and not both.",
                next_step="Pass tenant_field (--tenant-field), or tenant (--tenant).",
            )
        if self.tenants is not None and self.tenant_field is None:
            raise UsageError("A mapping of tenants needs the field whose values it maps.")
        if not self.collection or not self.text_field:
            raise UsageError("An import needs a collection and the field of its text.")
