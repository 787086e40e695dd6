"""Steps 3 and 4: what the tenant finds, and what the store really holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from securevec.cli.demo.needles import search_files
from securevec.cli.demo.scene import House, Scene
from securevec.cli.demo.stage import Breach
from securevec.cli.output import cell, pairs, table
from securevec.errors import PolicyDenied

if TYPE_CHECKING:
    from rich.console import RenderableType

    from securevec.cli.demo.corpus import Query
    from securevec.reading.hits import SearchResult
    from securevec.schema import Record

_K: Final = 3
_PLACEHOLDER: Final = re.compile(r"\[PERSON_[0-9]+\]")
_EXCERPT: Final = 170
_MIN_LENGTH: Final = 6
"""Shorter values would be found by chance in megabytes of ciphertext."""


def search(scene: Scene) -> None:
    """Step 3."""
    stage, house = scene.stage, scene.larkfield
    stage.step(3, f"{house.name} searches its tickets, as {house.actor.name}")
    found: list[tuple[Query, SearchResult[Record]]] = []
    stage.document["searches"] = []
    for query in _queries(scene, house):
        result = house.tickets.search(query.text, k=_K)
        right = sum(hit.id in query.expected for hit in result)
        found.append((query, result))
        stage.document["searches"].append(
            {
                "query": query.text,
                "embedded": scene.tap.texts[-1],
                "hits": [{"id": hit.id, "score": round(hit.score, 4)} for hit in result],
                "expected_among_hits": right,
            }
        )
        stage.show("", cell(f"asked     {query.text}", style="bold"), cell(f"embedded  {scene.tap.texts[-1]}"))
        if query.kind == "person":
            stage.note(
                f"the name is the tenant's surrogate before the model sees it; {right} of the first {_K} are about them"
            )
            continue
        rows = [
            (f"{hit.score:.3f}", hit.id, cell(hit.text, limit=62), "yes" if hit.id in query.expected else "no")
            for hit in result
        ]
        stage.show(table([">score", "id", "text, as stored: anonymized", "expected"], rows))
    _context(scene, house, [result for _, result in found])


def _queries(scene: Scene, house: House) -> Iterator[Query]:
    """The first topic, story and person question whose answers were ingested."""
    for kind in ("topic", "story", "person"):
        matching = (
            query
            for query in scene.corpus.queries(house.name)
            if query.kind == kind and not query.expected.isdisjoint(house.ids)
        )
        yield from islice(matching, 1)


def _context(scene: Scene, house: House, results: list[SearchResult[Record]]) -> None:
    """The prompt with placeholders, and the way back for who may reveal."""
    stage = scene.stage
    result = next((found for found in reversed(results) if _PLACEHOLDER.search(found.context())), None)
    if result is None:
        stage.note("no person appears in these hits, so there is no placeholder to put back")
        return
    context = result.context()
    match = next(_PLACEHOLDER.finditer(context))
    start = max(0, match.start() - _EXCERPT // 2)
    answer = f"Dear {match.group()}, your letter has reached the right desk."
    restored = result.restore(answer)
    stage.document["context_excerpt"] = context[start : start + _EXCERPT]
    stage.show(
        "",
        pairs(
            {
                "hits.context()": f"... {context[start : start + _EXCERPT]} ...",
                "model's answer": answer,
                "hits.restore()": restored,
            }
        ),
    )
    from securevec.policy import Actor

    reader = Actor(f"user:{house.name}-trainee")
    house.tenant.grant(reader, "reader")
    handle = scene.store.tenant(house.name, actor=reader).existing_collection("tickets")
    tried = [
        stage.attempt(
            "P3",
            "a reader without the role revealer calls hits.restore()",
            lambda: handle.search(answer, k=1).restore(answer) and "restored",
            PolicyDenied,
        )
    ]
    stage.attempts(tried)


def compare(scene: Scene) -> None:
    """Step 4."""
    from rich.table import Table

    stage, house = scene.stage, scene.larkfield
    stage.step(4, "what the store holds, beside what the tenant sees")
    query = next(_queries(scene, house))
    hit = house.tickets.search(query.text, k=1)[0]
    runtime = scene.store.runtime
    point = runtime.backend().fetch(namespace=house.namespace, ids=[hit.point])[0]
    payload = {key: cell(value, limit=36) for key, value in sorted(point.payload.items())}
    seen = {name: cell(value, limit=34) for name, value in hit.record.model_dump(mode="json").items()}
    beside = Table.grid(padding=(0, 3))
    beside.add_row(cell("payload in the engine", style="bold"), cell("record as the tenant reads it", style="bold"))
    beside.add_row(pairs({"id": point.id, **payload}), pairs(seen))
    stage.document["stored_payload_keys"] = sorted(point.payload)
    stage.show(beside, "", _files(scene))

    sealed = str(point.payload["b"])
    tried = [
        stage.attempt("P3", "search the home's raw files for planted values", lambda: _planted(scene)),
        stage.attempt("P3", "the same search, for something that is there (control)", lambda: _control(scene, sealed)),
    ]
    stage.attempts(tried)


def _planted(scene: Scene) -> str:
    """Labelled values, values of undeclared columns, record ids and tenant names, in every form."""
    values = {name for name in scene.houses if len(name) >= _MIN_LENGTH}
    for house in scene.houses.values():
        for row in islice(house.planted, 0, None, 8):
            values.update(value for spans in row.values.values() for _, value in spans)
            values.update(row.canaries)
            values.update([row.id] if row.id is not None else [])
    wanted = {value for value in values if len(value) >= _MIN_LENGTH}
    searched = search_files(scene.places.home, wanted)
    text = f"{searched.found} of {len(wanted)} found in {searched.files} files, {searched.bytes / 1e6:.0f} MB"
    if searched.found:
        raise Breach(text)
    return text


def _control(scene: Scene, sealed: str) -> str:
    searched = search_files(scene.places.home, [sealed[:48]])
    if not searched.found:
        raise Breach("not found: the search above proves nothing")
    return "found, so the search reads what the engine wrote"


def _files(scene: Scene) -> RenderableType:
    """Sizes by room of the home. The engine's files are sparse: what they take on disk is counted."""
    sizes: dict[str, tuple[int, int]] = {}
    for path in scene.places.home.rglob("*"):
        if path.is_file():
            room = path.relative_to(scene.places.home).parts[0]
            number, total = sizes.get(room, (0, 0))
            sizes[room] = (number + 1, total + path.stat().st_blocks * 512)
    scene.stage.document["home_bytes"] = {room: total for room, (_, total) in sorted(sizes.items())}
    rows = [(room, number, f"{total / 1024:,.0f}") for room, (number, total) in sorted(sizes.items())]
    return table(["in the home", ">files", ">KiB on disk"], rows)
