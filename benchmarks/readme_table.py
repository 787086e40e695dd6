"""Writes the tables of figures of the README and of ``docs/figures.md`` from the committed results, between markers.

    python benchmarks/readme_table.py            rewrite both pages
    python benchmarks/readme_table.py --check    exit 1 when one would change

A figure that misses its bar is marked in the table.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from readme_figures import rows
from readme_glance import glance

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]
BEGIN = "<!-- {name}: written by benchmarks/readme_table.py from benchmarks/results/ -->"
END = "<!-- /{name} -->"
REFERENCE = "vendor + sentence-transformers"
STORES = {"edge": "Qdrant Edge", "chroma": "Chroma"}


def table() -> str:
    """The Markdown between the markers."""
    documents = {
        store: json.loads(path.read_text(encoding="utf-8"))
        for store in STORES
        if (path := RESULTS / f"cost_{store}.json").exists()
    }
    parts = [
        _searches(documents),
        _totals(documents),
        _bars(documents),
        _conditions(documents),
        *_detection(),
        *_labelled(),
        *_evasions(),
        *_retrieval(),
        *_keystore(),
        *_keys(),
    ]
    return "\n\n".join(part for part in parts if part)


def _searches(documents: dict[str, Any]) -> str:
    lines = [
        "| A search, vector given | "
        + " | ".join(f"{STORES[store]}: p50, p95 ms (ratio)" for store in documents)
        + " |",
        "|---|" + "---|" * len(documents),
    ]
    # In the order of the store that has most of them: an engine that indexes by itself is not asked without an index.
    longest = max(documents.values(), key=lambda document: len(document["search"]))
    for name, says in {row["name"]: row["says"] for row in longest["search"]}.items():
        found = [next((row for row in each["search"] if row["name"] == name), None) for each in documents.values()]
        cells = [
            "" if row is None else f"{row['p50_ms']:.2f}, {row['p95_ms']:.2f} ({row['ratio']:.2f}x)" for row in found
        ]
        lines.append(f"| **{name}**: {says} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _totals(documents: dict[str, Any]) -> str:
    lines = [
        "| | " + " | ".join(STORES[store] for store in documents) + " |",
        "|---|" + "---|" * len(documents),
    ]
    rows: dict[str, Callable[[dict[str, Any]], str]] = {
        "Durable append, ms": lambda d: f"{d['flush_p50_ms']:.2f}",
        "Same top k as the vendor, recall": lambda d: (
            f"{_row(d, 'audit, waited')['same']:.0%}, {_row(d, 'audit, waited')['recall']:.3f}"
        ),
        "Vector index, of the vendor too: candidates looked at": _breadth,
        "Product beyond the vendor's scan and 1.2 appends, ms": _beyond_scan,
        "Writing with given vectors, records/s (time)": lambda d: _write(d["ingest"][-1]),
        "Writing with the model, records/s (time)": lambda d: _write(d["model_ingest"][-1]),
        "The vendor behind sentence-transformers, records/s (product's time by its)": _write_reference,
        "On disk: vendor, engine, whole home, MiB": lambda d: _sizes(d["disk"], "vendor", "engine", "home"),
        "Resident memory (on Edge with the file pages brought in): vendor, securevec, MiB": lambda d: _sizes(
            d["memory"], "vendor", "securevec"
        ),
    }
    for name, read in rows.items():
        cells = [read(document) for document in documents.values()]
        if any(cells):
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _write_reference(document: dict[str, Any]) -> str:
    """Absent in runs from before it was measured."""
    *others, product = document["model_ingest"] or [{}]
    found = [row for row in others if row["name"] == REFERENCE]
    return "".join(f"{row['per_second']:,.0f} ({product['ratio'] / row['ratio']:.2f}x)" for row in found)


def _breadth(document: dict[str, Any]) -> str:
    """Absent in runs from before there was such a choice, and where the engine indexes by itself."""
    breadth = document.get("breadth")
    return "" if breadth is None else f"{breadth}" if breadth else "built, and the scan found better"


def _beyond_scan(document: dict[str, Any]) -> str:
    paired = document.get("paired_scan")
    return "" if paired is None else "{value:+.2f} [{low:+.2f}, {high:+.2f}]".format(**paired["added_ms"])


def _bars(documents: dict[str, Any]) -> str:
    lines = ["| Bar | Measured | At most |", "|---|---|---|"]
    for store, document in documents.items():
        for name, bar in sorted(document["bars"].items()):
            missed = " (**missed**)" if bar["measured"] > bar["most"] else ""
            between = f" [{bar['low']:.3f}, {bar['high']:.3f}]" if "low" in bar else ""
            lines.append(f"| {STORES[store]}: {name} | {bar['measured']:.3f}{between}{missed} | {bar['most']:.2f} |")
    return "\n".join(lines)


def _detection() -> list[str]:
    """Rules and secrets beside presidio-analyzer, and under which conditions."""
    path = RESULTS / "detection_speed.json"
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    lines = [
        "| Detection, one thread, MB/s of process time | presidio-analyzer | rules and secrets (ratio, bar) |"
        " with names and replacement (bar) |",
        "|---|---|---|---|",
    ]
    bars = document["bars"]
    for name, row in document["sets"].items():
        said = f"{name.replace('_', ' ')}, {row['texts']} texts"
        ratio = _barred(f"{row['rules_mb_per_s']:.2f} ({row['ratio']:.0f}x, bar {{:.0f}}x", bars[name]) + ")"
        whole = f"{row['whole_stage_mb_per_s']:.2f}"
        if bar := bars.get(f"whole stage, MB/s, {name}"):
            whole = _barred(f"{whole} (bar {{:.1f}}", bar) + ")"
        lines.append(f"| {said} | {row['presidio_mb_per_s']:.3f} | {ratio} | {whole} |")
    versions, machine = document["versions"], document["machine"]
    return [
        "\n".join(lines),
        f"presidio-analyzer {versions['presidio-analyzer']} with a blank spaCy {versions['spacy']} pipeline and "
        f"google-re2 {versions['google-re2']}, the same texts in turns, {machine['cpus']} cores "
        f"({machine['architecture']}) under a load of {machine['load']}, `{document['command']}` "
        f"at {document['commit']}.",
    ]


def _labelled() -> list[str]:
    """What of labelled texts is found: our own set, and public ones."""
    path = RESULTS / "labelled.json"
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    public = document["public"]
    rows = {f"own set, part {part}": row for part, row in document["own"].items()}
    rows |= {f"own styles, part {part}": row for part, row in document["styles"].items()}
    rows |= {name.removesuffix(".jsonl").replace("_", " "): row for name, row in public["sets"].items()}
    names = ("PERSON", "ADDRESS", "LOCATION", "ORG", "PHONE", "EMAIL")
    lines = ["| Labelled texts: F1 by overlap (touched by any finding) | " + " | ".join(names) + " |"]
    lines.append("|---|" + "---|" * len(names))
    for name, row in rows.items():
        cells = [_found(row["entities"].get(entity)) for entity in names]
        lines.append(f"| {name}, {row['texts']} texts | " + " | ".join(cells) + " |")
    missed = [name for name, bar in public["bars"].items() if bar["measured"] < bar["least"]]
    cases = public["secret_cases"]
    secrets = cases["true_positive"] + cases["false_negative"]
    plain = cases["false_positive"] + cases["true_negative"]
    return [
        "\n".join(lines),
        f"Detector version {document['detector_version']}, `python benchmarks/bar_labelled.py` at {document['commit']} "
        f"(public sets: version {public['detector_version']}); {len(public['bars']) - len(missed)} of "
        f"{len(public['bars'])} bars of detection kept{''.join(f', **missed** {name}' for name in missed)}. Of "
        f"{secrets} secrets of detect-secrets' tests {cases['true_positive']} are found; of its {plain} negatives, "
        f"many of which other rules rightly find, {cases['false_positive']} are found too. What is held out: "
        "[benchmarks/labelled](../benchmarks/labelled/README.md), [model card](names-model.md).",
    ]


def _found(row: dict[str, Any] | None) -> str:
    return "" if row is None else f"{row['f1']:.2f} ({row['touched_by_any']:.2f})"


def _evasions() -> list[str]:
    """Recall of structured values in disguise."""
    path = RESULTS / "evasions.json"
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    lines = ["| Values in disguise | Disguises | Recall (bar) | Missed |", "|---|---|---|---|"]
    for entity, row in document["entities"].items():
        recall = _barred(f"{row['recall']:.3f} (bar {{:.2f}}", document["bars"][entity]) + ")"
        lines.append(f"| {entity} | {row['disguises']} | {recall} | {', '.join(row['missed']) or 'none'} |")
    prose = document["prose"]
    return [
        "\n".join(lines),
        f"Rules alone, {document['disguises']} disguises in Unicode and notations; {prose['findings']} findings in "
        f"{prose['texts']} disguised sentences without any value. `{document['command']}` at {document['commit']}.",
    ]


def _retrieval() -> list[str]:
    """First hits by how a person is named, raw and through securevec."""
    path = RESULTS / "retrieval.json"
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    lines = [
        "| The person is named by | R@1 raw texts | R@1 securevec | Questions whose name reached the embedder |",
        "|---|---|---|---|",
    ]
    for form in ("full name", "lower case", "surname only", "initial", "typo"):
        row = document["forms"][form]
        lines.append(
            f"| {form} | {row['raw']:.3f} | {row['securevec']:.3f} | {row['names_reaching_the_embedder']:.1%} |"
        )
    missed = "; **missed**" if any(bar["measured"] > bar["most"] for bar in document["bars"].values()) else ""
    return [
        "\n".join(lines),
        f"{document['documents']:,} sentences about {document['people']} made-up people in Edge, the shipped model and "
        f"detector; of the records, {document['names_of_records_reaching_the_embedder']:.1%} reached the embedder with "
        f"a part of the name. Bar: by full name at most {document['bars']['R@1 lost, full name']['most']:.2f} below "
        f"raw{missed}. `{document['command']}` at {document['commit']}.",
    ]


def _keystore() -> list[str]:
    """The key store of a large installation."""
    path = RESULTS / "keystore.json"
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    run = document["runs"][0]
    lines = ["| Key store | Measured | At most |", "|---|---|---|"]
    for name, bar in document["bars"].items():
        missed = " (**missed**)" if bar["measured"] > bar["most"] else ""
        lines.append(f"| {name} | {bar['measured']:.2f}{missed} | {bar['most']:.2f} |")
    return [
        "\n".join(lines),
        f"{run['records']:,} records of {run['tenants']} tenants in {run['collections']} collections over "
        f"{run['buckets']} buckets of a month, {run['writers']} writers and {run['runs_a_day']} runs of the command "
        f"line a day: {run['deks']:,} DEKs, {run['bytes_a_key']:.0f} bytes a key. Collections that keep originals have "
        f"two. "
        f"`{document['command']}` at {document['commit']}.",
    ]


def _keys() -> list[str]:
    """Sealing and the vector cloak beside two peers."""
    path = RESULTS / "keys.json"
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    lines = ["| Sealing and the vector cloak | Measured | At least |", "|---|---|---|"]
    for name, bar in document["bars"].items():
        missed = " (**missed**)" if bar["measured"] < bar["least"] else ""
        lines.append(f"| {name} | {bar['measured']:.3f}{missed} | {bar['least']:.3f} |")
    versions, machine, recall = document["versions"], document["machine"], document["recall"]
    return [
        "\n".join(lines),
        f"ironcore-alloy {versions['ironcore-alloy']} (standalone) and hadamask {versions['hadamask']}, in turns, the "
        f"best of {document['rounds']} rounds, {machine['cpus']} cores ({machine['architecture']}) under a load of "
        f"{machine['load']}; recall on {recall['documents']:,} paragraphs of Python's documentation in vectors of the "
        f"shipped model. `{document['command']}` at {document['commit']}.",
    ]


def _barred(text: str, bar: dict[str, float]) -> str:
    return text.format(bar["least"]) + (", **missed**" if bar["measured"] < bar["least"] else "")


def _conditions(documents: dict[str, Any]) -> str:
    said: list[str] = []
    for store, document in documents.items():
        machine = document["machine"]
        vendor = "qdrant-edge-py" if store == "edge" else "chromadb"
        said.append(
            f"{STORES[store]} {document['versions'][vendor]}: {document['points']:,} points, k = {document['k']}, "
            f"{document['questions']} questions, {machine['cpus']} cores ({machine['architecture']}) "
            f"under a load of {machine['load']}, "
            f"`{document['command']}` at {document['commit']}."
        )
    return " ".join(said)


def _row(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in document["search"] if row["name"] == name)


def _write(row: dict[str, Any]) -> str:
    return f"{row['per_second']:,.0f} ({row['ratio']:.2f}x)"


def _sizes(sizes: dict[str, int], *names: str) -> str:
    return ", ".join(f"{sizes[name] / 2**20:,.0f}" for name in names)


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"measured": lambda: glance(RESULTS)},
    "docs/figures.md": {"figures": lambda: rows(RESULTS), "overhead": table},
}
"""What is written where: of each page the parts between markers."""


def rewritten(page: str, text: str) -> str:
    """The text of a page with its parts between the markers written anew. Raises ``ValueError`` without the markers."""
    for name, made in PARTS[page].items():
        first, last = BEGIN.format(name=name), END.format(name=name)
        before, begin, rest = text.partition(first)
        _, end, after = rest.partition(last)
        if not begin or not end:
            raise ValueError(f"{page} has lost the markers {first} and {last}")
        text = f"{before}{first}\n\n{made()}\n\n{last}{after}"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    differing = False
    for page in PARTS:
        text = (ROOT / page).read_text(encoding="utf-8")
        made = rewritten(page, text)
        if options.check and made != text:
            print(f"{page} differs from benchmarks/results/; run this without --check")
            differing = True
        elif not options.check:
            (ROOT / page).write_text(made, encoding="utf-8")
    if options.check and not differing:
        print("up to date")
    return int(differing)


if __name__ == "__main__":
    sys.exit(main())
