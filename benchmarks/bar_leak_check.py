"""Measure the leak check on both corpora and both embedded stores and write its figures.

    python benchmarks/bar_leak_check.py [--json benchmarks/results/leak_check.json]

The same code as ``tests/leaks``, which fails when a bar is missed; this takes each corpus whole and prints how far from
the bars it stays. Takes about two minutes on two cores. No value of a corpus is written.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from result import about, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from tests.support.corpus import Corpus
    from tests.support.leaks import Shares
    from tests.support.needles import Hit


def by_label(shares: Shares) -> dict[str, Any]:
    labels = {
        label: {
            "planted": shares.planted[label],
            "leaked": shares.leaked[label],
            "share": round(shares.share(label), 4),
        }
        for label in sorted(shares.planted)
    }
    return {"labels": labels, "structured_share": round(shares.structured, 4)}


def by_kind(hits: list[Hit]) -> dict[str, int]:
    return dict(sorted(Counter(hit.kind for hit in hits).items()))


def measure_run(root: Path, corpus: Corpus, backend: str) -> dict[str, Any]:
    """One corpus on one store."""
    from tests.support.leaks import gather

    evidence = gather(root, corpus, backend=backend)
    queries = evidence.query_shares()
    parts = sorted({key.partition("/")[0] for key in evidence.reports}) if corpus.name == "complaints" else ["all"]
    result: dict[str, Any] = {
        "corpus": f"examples/corpora/{corpus.name}",
        "backend": backend,
        "rows": len(evidence.rows),
        "records": len(evidence.live),
        "questions": {"planted": sum(queries.planted.values()), "leaked": sum(queries.leaked.values())},
        "at_rest": {
            "needles": evidence.needles,
            "bytes_scanned": evidence.bytes_scanned,
            "open_home": by_kind(evidence.in_open_home),
            "closed_home": by_kind(evidence.in_closed_home),
            "payloads": by_kind(evidence.in_payloads),
        },
        "parts": {},
    }
    for name in parts:
        part = evidence.part(*(key for key in evidence.reports if name in ("all", key.partition("/")[0])))
        kept, near = part.kept_near()
        result["parts"][name] = {
            "embedder": by_label(part.embedder_shares()),
            "opened_envelopes": by_label(part.payload_shares()),
            "person_overlap": {key: round(value, 4) for key, value in part.person_f1().items()},
            "near_misses": {"planted": near, "kept": kept},
        }
    return result


def measure_failures(root: Path, backend: str) -> dict[str, Any]:
    """What is said when something fails, through the library and through the command line."""
    from tests.support.failing_runs import LIBRARY, run_commands, set_up, set_up_command_line, what_is_said
    from tests.support.helpdesk import all_needles

    needles = all_needles()
    stage = set_up(root, backend)
    try:
        said = "\n".join(what_is_said(stage, name) for name in LIBRARY)
        set_up_command_line(stage)
        written = run_commands(stage)
    finally:
        stage.store.close()
    commands = needles.find(b"\n".join(output for _, _, output in written.values()))
    return {
        "library": {"runs": len(LIBRARY), "hits": by_kind(needles.find(said.encode()))},
        "command_line": {"runs": len(written), "hits": by_kind(commands)},
    }


def measure(root: Path) -> dict[str, Any]:
    from tests.support.complaints import COMPLAINTS
    from tests.support.helpdesk import HELPDESK
    from tests.support.leaks import MAX_SHARE, MIN_PERSON_F1

    runs = [
        measure_run(root / f"{corpus.name}-{backend}", corpus, backend)
        for corpus in (HELPDESK, COMPLAINTS)
        for backend in ("edge", "chroma")
    ]
    return {
        "bars": {"structured_share": MAX_SHARE, "person_overlap_f1": MIN_PERSON_F1, "hits": 0},
        "runs": runs,
        "failing_runs": {
            backend: measure_failures(root / f"failing-{backend}", backend) for backend in ("edge", "chroma")
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the leak check on both corpora and both embedded stores.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        made = about("bar_leak_check.py", "google-re2", "phonenumbers", "qdrant-edge-py", "chromadb", "numpy")
        document = made | measure(Path(root))
    print(json.dumps(document, indent=1, sort_keys=True))
    if options.json:
        write(options.json, document)


if __name__ == "__main__":
    main()
