"""Steps 1 and 2: make a home, and ingest two tenants through a tap on the embedder."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from securevec.cli.demo.corpus import Corpus
from securevec.cli.demo.scene import House, Places, Scene, write_settings
from securevec.cli.demo.score import NAMES, Reached, score, structured_share
from securevec.cli.demo.stage import Breach, Stage
from securevec.cli.output import cell, pairs, table
from securevec.cli.records import load_record
from securevec.cli.reports import progress_bar, report_json, report_tables
from securevec.rows.readers import read_records

if TYPE_CHECKING:
    from securevec.embed.minilm import MiniLM

ALLOWED_SHARE: Final = 0.02
"""Of structured values (everything labelled but names) that may reach the embedder."""

_OPERATORS: Final[dict[str, Any]] = {
    "CARD": {"operator": "presidio:mask", "params": {"masking_char": "*", "chars_to_mask": 15, "from_end": False}},
    "IP": {"operator": "presidio:hash", "params": {"hash_type": "sha256"}},
}
_FILES: Final = {"larkfield": "larkfield.jsonl", "northgate": "northgate.csv"}


def make_home(stage: Stage, corpus: Corpus, places: Places, *, rows: int | None) -> Scene:
    """Step 1. The store is open when it returns."""
    from securevec.embed.minilm import MiniLM
    from securevec.store import SecureStore
    from securevec.testing.embedders import TapEmbedder

    stage.step(1, "a home, with its root key outside it")
    model = MiniLM()
    seconds = _load(model)
    tap = TapEmbedder(model)
    store = SecureStore.open(places.home, backend="edge", key_file=places.key_file, embedder=tap)
    write_settings(places)
    identity = tap.identity
    shown = {
        "home": places.home,
        "root key": places.key_file,
        "engine": "qdrant-edge, embedded: one shard for each collection of each tenant",
        "model": f"{identity.name}, weights {identity.digest[:12]}..., loaded in {seconds:.1f} s",
        "corpus": corpus.directory,
    }
    stage.document["places"] = {name: str(value) for name, value in shown.items()}
    stage.show(pairs(shown))
    return Scene(stage=stage, corpus=corpus, places=places, store=store, tap=tap, rows=rows)


def _load(model: MiniLM) -> float:
    """Seconds until the model has embedded its first text, so that the ingests below are timed without it."""
    from securevec.anonymize import Anonymizer, TenantKeys

    started = time.monotonic()
    keys = TenantKeys(pseudonym=os.urandom(32), token=os.urandom(32))
    text, _ = Anonymizer().query("ready", keys=keys, known=lambda tokens: {})
    model.embed([text])
    return time.monotonic() - started


def fill(scene: Scene) -> None:
    """Step 2."""
    scene.stage.step(2, "two tenants ingest their tickets")
    scene.stage.note("card numbers go through presidio's mask, IP addresses through its hash, the rest get surrogates")
    if scene.rows is not None:
        scene.stage.note(f"at most the first {scene.rows} rows of each file; --all takes every row")
    scores = {name: _ingest(scene, name) for name in _FILES}
    _show_scores(scene.stage, scores)


def _ingest(scene: Scene, name: str) -> list[Reached]:
    from securevec.policy import Actor

    record = load_record(scene.corpus.schema)
    actor = Actor(f"svc:{name}-desk", purpose="patient support")
    tenant = scene.store.tenant(name, create=True, actor=actor)
    tickets = tenant.collection(record, name="tickets", retention="180d", operators=_OPERATORS)
    file = scene.corpus.source(_FILES[name], rows=scene.rows, copy_in=scene.places.scratch)
    before = len(scene.tap.texts)
    with progress_bar(file.name, quiet=scene.stage.quiet) as progress:
        report = tickets.ingest(file, progress=progress)
    embedded = scene.tap.texts[before:]
    scene.stage.document.setdefault("ingest", {})[name] = report_json(report)
    scene.stage.show("", *report_tables(file.name, report, rows_shown=4))

    # From here on only what was planted is looked at, to score what happened above.
    truth = scene.corpus.truth(_FILES[name])
    refused = {row.row for row in report.refused}
    bodies = {
        row.number: str(row.value.get("body"))
        for row in read_records(file)
        if row.number not in refused and isinstance(row.value, dict)
    }
    planted = tuple(truth[number] for number in bodies)
    scene.houses[name] = House(
        name=name,
        actor=actor,
        tenant=tenant,
        tickets=tickets,
        namespace=scene.store.runtime.names.namespace(tenant.id, tickets.id),
        planted=planted,
    )
    return score(planted, bodies, embedded)


def _show_scores(stage: Stage, scores: dict[str, list[Reached]]) -> None:
    entities = sorted({entry.entity for entries in scores.values() for entry in entries})
    merged = [
        Reached(
            entity,
            sum(entry.labelled for entries in scores.values() for entry in entries if entry.entity == entity),
            sum(entry.reached for entries in scores.values() for entry in entries if entry.entity == entity),
        )
        for entity in entities
    ]
    stage.document["reached_embedder"] = {
        entry.entity: {"labelled": entry.labelled, "reached": entry.reached, "share": round(entry.share, 4)}
        for entry in merged
    }
    stage.show("", cell("labelled values that reached the embedder (a tap on it, scored against the truth file):"))
    stage.show(table(["entity", ">labelled", ">reached", ">share"], [_row(entry) for entry in merged]))

    def within() -> str:
        labelled, reached = structured_share(merged)
        text = f"{reached} of {labelled} ({reached / max(labelled, 1):.2%})"
        if not labelled or reached / labelled > ALLOWED_SHARE:
            raise Breach(text)
        return text

    held = stage.attempt("P3", f"structured values reach the embedder (at most {ALLOWED_SHARE:.0%})", within)
    names = next((entry for entry in merged if entry.entity == NAMES), None)
    stage.attempts([held])
    if names is not None:
        stage.note(
            f"names: {names.reached} of {names.labelled} ({names.share:.1%}); they are found from context, so some are "
            "missed. What was missed is sealed all the same."
        )


def _row(entry: Reached) -> tuple[object, ...]:
    return (entry.entity, entry.labelled, entry.reached, f"{entry.share:.1%}")
