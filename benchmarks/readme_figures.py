"""The rows of the first table of ``docs/figures.md``, each read from a committed result.

A row says a figure, not a verdict: what misses its bar is marked ``**missed**`` in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Read = Callable[[str], dict[str, Any]]
PARTS = {
    ("helpdesk", "all"): "Labelled values reaching the embedder, help desk corpus ({records} records)",
    ("complaints", "dev"): "Complaints corpus ({records} records), the half read while the detector was written",
    ("complaints", "heldout"): "Complaints corpus, the half held out",
}
ELSEWHERE = (
    ("Sealing and the vector cloak beside IronCore Alloy and hadamask", "the last table below", "bar_keys.py"),
    ("Structured values in disguise: Unicode, entities, escapes, tags", "a table below", "bar_evasions.py"),
    ("Detection beside presidio-analyzer, one thread", "a table below", "bar_detection.py"),
)


def rows(results: Path) -> str:
    """The table in Markdown. Raises ``OSError`` or ``KeyError`` where a result is not there or has another shape."""

    def read(name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        return document

    lines = ["| What | Figure | Command |", "|---|---|---|"]
    for of in (_leaks, _recall, _elsewhere, _crypto, _deletion, _tenants, _erasure, _hits):
        lines += [f"| {what} | {figure} | {command} |" for what, figure, command in of(read)]
    return "\n".join(lines)


Rows = list[tuple[str, str, str]]


def _python(script: str) -> str:
    return f"`python benchmarks/{script}`"


def _leaks(read: Read) -> Rows:
    """The larger figure of both stores: they see the same texts, and a random key has a part in names."""
    document = read("leak_check")
    made: Rows = []
    for (corpus, part), what in PARTS.items():
        runs = [run for run in document["runs"] if run["corpus"].endswith(f"/{corpus}")]
        counts = [leaked(run["parts"][part]["embedder"]["labels"]) for run in runs]
        structured, names = (max(each[at] for each in counts) for at in (0, 1))
        made.append(
            (
                what.format(records=runs[0]["records"]),
                f"structured {share(structured)}, names {share(names)}",
                "same" if made else _python("bar_leak_check.py"),
            )
        )
    planted, found = at_rest(document)
    made.append(
        (
            f"{planted:,} planted values, names and ids in every file of the homes, Edge and Chroma, four encodings",
            f"{found}, open and after close",
            "same",
        )
    )
    failing = [each for store in document["failing_runs"].values() for each in store.values()]
    made.append(
        (
            f"The same in what {sum(each['runs'] for each in failing)} failing runs say",
            str(sum(sum(each["hits"].values()) for each in failing)),
            "same",
        )
    )
    return made


def at_rest(document: dict[str, Any]) -> tuple[int, int]:
    """Values that were planted in each corpus, and how many of them lie in any file of a home."""
    planted = {run["corpus"]: run["at_rest"]["needles"] for run in document["runs"]}
    places = ("open_home", "closed_home", "payloads")
    found = sum(sum(run["at_rest"][where].values()) for run in document["runs"] for where in places)
    return sum(planted.values()), found


def leaked(labels: Mapping[str, Mapping[str, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Leaked and planted: of all labels but names, and of names."""
    structured = [each for label, each in labels.items() if label != "PERSON"]
    names = labels["PERSON"]
    return (
        (sum(each["leaked"] for each in structured), sum(each["planted"] for each in structured)),
        (names["leaked"], names["planted"]),
    )


def share(counted: tuple[int, int]) -> str:
    """So many of so many, and in percent."""
    return f"{counted[0]} of {counted[1]:,} ({counted[0] / counted[1]:.1%})"


def _recall(read: Read) -> Rows:
    found = read("detection")["entities"]
    sure = {"EMAIL": "e-mail", "CARD": "card", "IBAN": "IBAN", "IP": "IP", "URL": "URL"}
    public = read("labelled")["public"]["sets"]
    held_out = {"wikigold": "wikigold", "wnut17_train": "WNUT 2017", "btc_a": "Broad Twitter"}
    people = ", ".join(two(public[f"{name}.jsonl"]["entities"]["PERSON"]["f1"]) for name in held_out)
    return [
        (
            f"F1 on `presidio_generated_large`: {', '.join(sure.values())}",
            ", ".join(two(found[name]["f1"]) for name in sure),
            _python("score_detection.py DATA"),
        ),
        (
            "SSN, phone, person, address (overlap F1)",
            ", ".join(two(found[name]["f1"]) for name in ("SSN", "PHONE", "PERSON", "ADDRESS")),
            "same",
        ),
        (
            f"Person on sets that were held out (overlap F1): {', '.join(held_out.values())}",
            people,
            "`securevec eval FILE` ([model card](names-model.md))",
        ),
    ]


def two(share: float) -> str:
    """Two digits behind the point, as ``.82``."""
    return f"{share:.2f}".removeprefix("0")


def _elsewhere(read: Read) -> Rows:
    return [(what, where, _python(script)) for what, where, script in ELSEWHERE]


def _crypto(read: Read) -> Rows:
    document = read("crypto")
    figures = document["crypto"]
    times = [
        f"{figures[name]:.1f}x{missed(figures[name], document['bars'][name])}"
        for name in ("seal_1kb", "open_1kb", "seal_batch")
    ]
    return [
        (
            "Seal 1 KB, open 1 KB, seal 1,000 at once, against raw AES-GCM",
            f"{', '.join(times)}; {figures['bytes_over_plaintext']:.0f} bytes longer",
            _python("bar_crypto.py"),
        )
    ]


def _deletion(read: Read) -> Rows:
    document = read("deletion")
    said = [
        " and ".join(
            f"{each[name]:.0f} ms{missed(each[name], document['bars'][name])}"
            for name in ("reads_refused_ms", "keys_gone_ms")
        )
        for each in (document["deletion"][points] for points in ("1000", "100000"))
    ]
    return [
        (
            "Deleting a tenant of 1,000 and of 100,000 records on Edge: reads refused, keys gone",
            "; ".join(said),
            _python("bar_deletion.py"),
        )
    ]


def _tenants(read: Read) -> Rows:
    document = read("tenants")
    figures, bars = document["figures"], document["bars"]
    marks = {name: missed(figures[name], most) for name, most in bars.items()}
    return [
        (
            f"{figures['tenants']:,} tenants of {figures['points']} points on Edge, asked at random under a load of "
            f"{document['machine']['load']}: a search of an open shard beside the same with 10 tenants; one whose "
            f"shard was closed; resident memory with {figures['open_shards']} open, of the second half of the "
            "searches beside the first",
            f"{figures['open_ratio']:.2f}x{marks['open_ratio']}; p50 {figures['cold_p50_ms']:.0f} ms"
            f"{marks['cold_p50_ms']} (at most {bars['cold_p50_ms']:.0f}); {figures['resident_mib']:.0f} MiB, "
            f"{figures['memory_ratio']:.2f}x{marks['memory_ratio']}",
            _python("bar_tenants.py"),
        )
    ]


def _erasure(read: Read) -> Rows:
    document = read("erasure")
    edge, chroma = document["runs"]
    bars = document["bars"]
    found = sum(
        sum((run["found_after_one"], run["found_after_many"], *run["found_after_each"])) for run in (edge, chroma)
    )
    copy = chroma["one_over_raw_copy"]
    many = [
        f"{run['many_over_one']:.1f}x{missed(run['many_over_one'], bars['many_over_one'])}" for run in (edge, chroma)
    ]
    return [
        (
            f"Erasing a person from a tenant of {edge['records']:,} records, byte probe before and after: Edge, Chroma",
            f"{edge['one_seconds']:.1f} s{missed(edge['one_seconds'], bars['edge_one_seconds'])} and "
            f"{chroma['one_seconds']:.1f} s ({edge['one_cpu_seconds']:.1f} s and {chroma['one_cpu_seconds']:.1f} s of "
            f"processor time), on Chroma {copy:.1f}x{missed(copy, bars['chroma_one_over_raw_copy'])} the vendor "
            f"copying what remains; {edge['many']} people in one job {many[0]} and {many[1]} of one; {found} found in "
            f"files after, also after {edge['further_purges']} more",
            _python("bar_erasure.py"),
        )
    ]


def _hits(read: Read) -> Rows:
    document = read("million_hits")
    runs = document["runs"]

    def both(name: str) -> str:
        return " and ".join(f"{run[name]:,}" for run in runs)

    wrong = [sum(run[name] for run in runs) for name in ("foreign", "wrong")]
    unknown = sum(run["miscounted"] for run in runs)
    counted = "all counted and audited" if not unknown else f"**{unknown} not counted**"
    return [
        (
            f"A million returned hits under {runs[0]['threads']} threads, half of the answers lied about "
            f"({len(runs[0]['lies_told'])} kinds of lies), Edge and Chroma",
            f"{wrong[0]} foreign, {wrong[1]} wrong or old of {both('hits')}; {both('injected')} injected points, "
            f"{counted}",
            _python("million_hits.py"),
        )
    ]


def missed(measured: float, most: float) -> str:
    """The mark behind a figure that is more than its bar."""
    return " (**missed**)" if measured > most else ""
