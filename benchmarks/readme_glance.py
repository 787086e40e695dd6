"""The short table that a newcomer meets first in the README: what was measured, what the bar was, what missed it.

Everything in it stands with its conditions and its command in ``docs/figures.md``. What misses its bar is marked
``**missed**`` here too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from readme_figures import at_rest, leaked, missed, share, two

STORES = ("edge", "chroma")


def glance(results: Path) -> str:
    """The table in Markdown. Raises ``OSError`` or ``KeyError`` where a result is not there or has another shape."""

    def read(name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        return document

    rows = [
        *_leaks(read("leak_check")),
        _people(read("labelled")),
        _names(read("retrieval")),
        _hits(read("million_hits")),
        _erasure(read("erasure")),
        _deletion(read("deletion")),
        *_costs([read(f"cost_{store}") for store in STORES]),
        *_speeds(read("detection_speed")),
    ]
    return "\n".join(["| What | Measured | Bar |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])


Row = tuple[str, str, str]


def _leaks(document: dict[str, Any]) -> list[Row]:
    """The larger figure of both stores, as in ``docs/figures.md``."""
    made: list[Row] = []
    for (corpus, part), says in {
        ("helpdesk", "all"): "help desk corpus",
        ("complaints", "heldout"): "held out",
    }.items():
        runs = [run for run in document["runs"] if run["corpus"].endswith(f"/{corpus}")]
        counts = [leaked(run["parts"][part]["embedder"]["labels"]) for run in runs]
        structured, names = (share(max(each[at] for each in counts)) for at in (0, 1))
        made.append((f"Personal data that reached the embedder, {says}", f"structured {structured}, names {names}", ""))
    planted, found = at_rest(document)
    made.append(
        (
            f"{planted:,} planted values in every file of the homes",
            f"{found} found{missed(found, 0)}",
            "0",
        )
    )
    return made


def _people(document: dict[str, Any]) -> Row:
    held_out = {"wikigold": "wikigold", "wnut17_train": "WNUT 2017", "btc_a": "Broad Twitter"}
    found = [two(document["public"]["sets"][f"{name}.jsonl"]["entities"]["PERSON"]["f1"]) for name in held_out]
    return (f"People found in sets held out (F1): {', '.join(held_out.values())}", ", ".join(found), "")


def _names(document: dict[str, Any]) -> Row:
    form, bar = document["forms"]["full name"], document["bars"]["R@1 lost, full name"]
    return (
        "First hit right for a question by full name: raw texts, securevec",
        f"{form['raw']:.3f}, {form['securevec']:.3f}{missed(bar['measured'], bar['most'])}",
        f"at most {bar['most']:.2f} lost",
    )


def _hits(document: dict[str, Any]) -> Row:
    runs = document["runs"]
    foreign = sum(run["foreign"] for run in runs)
    return (
        f"Foreign rows among {sum(run['hits'] for run in runs):,} hits of stores that lie",
        f"{foreign}{missed(foreign, 0)}",
        "0",
    )


def _erasure(document: dict[str, Any]) -> Row:
    edge, chroma = document["runs"]
    bars, copy = document["bars"], chroma["one_over_raw_copy"]
    return (
        f"A person erased among {edge['records']:,} records, with proof: Edge, Chroma",
        f"{edge['one_seconds']:.1f} s{missed(edge['one_seconds'], bars['edge_one_seconds'])}, "
        f"{chroma['one_seconds']:.1f} s or {copy:.1f}x a copy of the rest"
        f"{missed(copy, bars['chroma_one_over_raw_copy'])}",
        f"{bars['edge_one_seconds']:.1f} s, {bars['chroma_one_over_raw_copy']:.1f}x",
    )


def _deletion(document: dict[str, Any]) -> Row:
    figures, bars = document["deletion"]["100000"], document["bars"]
    said = [
        f"{figures[name]:.0f} ms{missed(figures[name], bars[name])}" for name in ("reads_refused_ms", "keys_gone_ms")
    ]
    return (
        "A tenant of 100,000 records deleted: reads refused, keys gone",
        ", ".join(said),
        f"{bars['reads_refused_ms']:.0f} ms, {bars['keys_gone_ms']:.0f} ms",
    )


def _costs(documents: list[dict[str, Any]]) -> list[Row]:
    """Beside the vendor's own client. A bar of a store that has none is a dash."""
    edge, chroma = (document["bars"] for document in documents)
    said: list[Row] = [
        (
            "A search beside the vendor's client and 1.2 durable appends: Edge, Chroma",
            f"{_over(edge['search, ms above vendor and 1.2 appends'], '+{:.2f} ms')}, "
            f"{_over(chroma['search, ratio without 1.2 appends'], '{:.2f}x')}",
            f"+{edge['search, ms above vendor and 1.2 appends']['most']:.2f} ms, "
            f"{chroma['search, ratio without 1.2 appends']['most']:.2f}x",
        )
    ]
    for name, says in {
        "ingest with the model, time": "Writing, with the model",
        "ingest with given vectors, time": "Writing, vectors given",
        "disk, whole home": "Disk, whole home",
    }.items():
        pair = [bars.get(name) for bars in (edge, chroma)]
        said.append(
            (
                f"{says}: Edge, Chroma",
                ", ".join("-" if bar is None else _over(bar, "{:.2f}x") for bar in pair),
                ", ".join("-" if bar is None else f"{bar['most']:.2f}x" for bar in pair),
            )
        )
    return said


def _over(bar: dict[str, float], form: str) -> str:
    return form.format(bar["measured"]) + missed(bar["measured"], bar["most"])


def _speeds(document: dict[str, Any]) -> list[Row]:
    kinds = {"plain_4kb": "plain", "dense_4kb": "dense", "short_85b": "short"}
    wholes = {f"whole stage, MB/s, {name}": says for name, says in kinds.items()}
    made: list[Row] = []
    for names, what, form in (
        (kinds, "Rules and secrets beside presidio-analyzer", "{:.0f}x"),
        (wholes, "Whole detection and replacement, one thread", "{:.2f} MB/s"),
    ):
        barred = {says: document["bars"][name] for name, says in names.items() if name in document["bars"]}
        made.append(
            (
                f"{what}: {', '.join(barred)} texts",
                ", ".join(
                    form.format(bar["measured"]) + missed(bar["least"], bar["measured"]) for bar in barred.values()
                ),
                ", ".join(form.format(bar["least"]) for bar in barred.values()),
            )
        )
    return made
