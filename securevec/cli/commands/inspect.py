"""``inspect``: what a store that was filled without securevec holds. Needs no home, and shows no value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from securevec.cli.command import Group
from securevec.cli.commands.imports import Url
from securevec.cli.detector import Names, Recall, chosen_detector
from securevec.cli.output import cell, pairs, table
from securevec.cli.reports import progress_bar
from securevec.cli.session import Session

if TYPE_CHECKING:
    from rich.console import RenderableType

    from securevec.imports.inspection import CollectionInspection, Cost, Inspection

_SHOWN: Final = 50
_NAME: Final = 60


def register(group: Group) -> None:
    group.command("inspect")(inspect)


def inspect(
    session: Session,
    url: Url,
    collection: Annotated[
        str | None, typer.Option("--collection", metavar="NAME", help="Only this one.", show_default=False)
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", min=1, help="Points of each collection the detector looks at.")
    ] = 200,
    recall: Recall = None,
    names: Names = None,
) -> None:
    """What another Chroma or Qdrant store holds. Fields, personal data and secrets, points without a tenant, cost
    of an import.

    The store is only read, and no value of a field is shown. Every point is read for its fields; the detector looks at
    a sample, and texts of it, anonymized, are embedded to measure what an import takes; not where models.required is
    set, for no list of models is asked here. Needs no home. What was found changes nothing in the exit code.
    """
    from securevec.imports.inspect import inspect_source

    with progress_bar("inspect", quiet=session.out.as_json) as progress:
        result = inspect_source(
            url,
            collection=collection,
            sample=sample,
            detector=chosen_detector(session, recall, names),
            embedder=session.embedder(),
            measured=not session.settings.models_required,
            plain_http_hosts=session.settings.plain_http_hosts,
            progress=progress,
        )
    session.out.show(inspection_json(result), *inspection_tables(result))


def inspection_json(result: Inspection) -> dict[str, Any]:
    """The inspection with stable keys."""
    return {
        "source": result.source,
        "collections": [asdict(each) | {"found": dict(sorted(each.found.items()))} for each in result.collections],
    }


def inspection_tables(result: Inspection) -> list[RenderableType]:
    """For each collection what it is, and its fields."""
    shown: list[RenderableType] = [cell(f"{result.source}: {len(result.collections)} collections")]
    for each in result.collections:
        shown += ["", *_collection(each)]
    return shown


def _collection(each: CollectionInspection) -> list[RenderableType]:
    about: dict[str, object] = {
        "collection": each.name,
        "points": each.points,
        "vectors": ", ".join(
            f"{vector.name or 'default'}: {vector.dimension or 'any'} {vector.distance}" for vector in each.vectors
        )
        or None,
    }
    if each.functions:
        about["embedding function"] = f"{', '.join(each.functions)} (stored; never loaded)"
    if each.ours:
        return [pairs(about | {"made by": "securevec; not looked into"})]
    about["text field"] = each.text_field and f"{each.text_field}; {each.without_text} points without a text"
    tenant = each.tenant_field and f"{each.tenant_field} ({each.tenant_reason}); {each.tenants} values"
    about["tenant field"] = tenant or each.tenant_reason
    if each.tenant_field:
        about["without one tenant"] = _counts(each.unscoped)
    if each.missing_tenant_index is not None:
        about["tenant index"] = "MISSING" if each.missing_tenant_index else "yes"
    about[f"found in {each.sampled} points"] = _counts(each.found)
    about["an import"] = (
        "not measured: no text, no embedder, or models.required" if each.cost is None else _cost(each.cost)
    )
    rows = [
        (cell(f.name, limit=_NAME), ", ".join(sorted(f.types)), f"{f.share:.1%}", f.sampled, _counts(f.found))
        for f in each.fields[:_SHOWN]
    ]
    shown: list[RenderableType] = [pairs(about), table(["field", "types", ">points", ">sampled", "found"], rows)]
    if len(each.fields) > _SHOWN:
        shown.append(cell(f"and {len(each.fields) - _SHOWN} more fields; --json lists them"))
    if each.fields_beyond:
        shown.append(cell(f"and {each.fields_beyond} values in more fields than are told apart"))
    return shown


def _cost(cost: Cost) -> str:
    return (
        f"about {cost.detect_seconds:.1f} s to anonymize, {cost.embed_seconds:.1f} s to embed {cost.chunks} chunks; "
        f"{cost.source_bytes} bytes of text here, at most {cost.stored_bytes} stored (from {cost.measured} records)"
    )


def _counts(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number} {name}" for name, number in ranked) or "none"
