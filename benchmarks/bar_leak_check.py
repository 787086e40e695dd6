"""Measure the leak check on the help desk corpus and write its figures.

    python benchmarks/bar_leak_check.py [--json benchmarks/results/leak_check.json]

The same code as ``tests/leaks``, which fails when a bar is missed; this prints how far from the bars it stays. Takes
about 20 seconds on two cores. No value of the corpus is written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
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


def measure(root: Path) -> dict[str, Any]:
    from tests.support.failing_runs import LIBRARY, run_commands, set_up, set_up_command_line, what_is_said
    from tests.support.helpdesk import all_needles
    from tests.support.leaks import MAX_SHARE, MIN_PERSON_F1, gather

    evidence = gather(root / "corpus")
    needles = all_needles()
    stage = set_up(root / "failing")
    try:
        said = "\n".join(what_is_said(stage, name) for name in LIBRARY)
        set_up_command_line(stage)
        written = run_commands(stage)
    finally:
        stage.store.close()
    commands = needles.find(b"\n".join(output for _, _, output in written.values()))
    queries = evidence.query_shares()
    return {
        "corpus": "examples/corpora/helpdesk",
        "rows": len(evidence.rows),
        "records": len(evidence.live),
        "bars": {"structured_share": MAX_SHARE, "person_overlap_f1": MIN_PERSON_F1, "hits": 0},
        "embedder": by_label(evidence.embedder_shares()),
        "questions": {"planted": sum(queries.planted.values()), "leaked": sum(queries.leaked.values())},
        "opened_envelopes": by_label(evidence.payload_shares()),
        "person_overlap": {name: round(value, 4) for name, value in evidence.person_f1().items()},
        "at_rest": {
            "needles": evidence.needles,
            "bytes_scanned": evidence.bytes_scanned,
            "open_home": by_kind(evidence.in_open_home),
            "closed_home": by_kind(evidence.in_closed_home),
            "payloads": by_kind(evidence.in_payloads),
        },
        "failing_runs": {
            "library": {"runs": len(LIBRARY), "hits": by_kind(needles.find(said.encode()))},
            "command_line": {"runs": len(written), "hits": by_kind(commands)},
        },
        "versions": {
            name: version(name) for name in ("securevec", "google-re2", "phonenumbers", "qdrant-edge-py", "numpy")
        }
        | {"python": platform.python_version()},
        "machine": {"system": platform.system(), "architecture": platform.machine(), "cpus": os.cpu_count()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the leak check on the help desk corpus.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        text = json.dumps(measure(Path(root)), indent=2, sort_keys=True)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
