"""What securevec costs on Chroma's files: 50,000 points, metadata of 1 KB, k = 10, everything interleaved in one run.

    python benchmarks/bar_chroma.py [--points N] [--questions N] [--json FILE]

The bar for a search is 1.15 times the vendor's median and 1.2 times a durable append; its model apart. Takes about five
minutes on two quiet cores. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import sys

from cost import disk_ratio, gate, ingest_ratio, model_ingest_ratio, p50, unlike_answers

from securevec.bench.figures import Figures


def search_ratio(figures: Figures) -> float:
    """Against the vendor, the wait for the disk taken off."""
    return (p50(figures, "audit, waited") - 1.2 * figures.flush_p50_ms) / p50(figures, "vendor")


BARS = {
    "search, ratio without 1.2 appends": (search_ratio, 1.15),
    "questions answered unlike the vendor": (unlike_answers, 0.0),
    "ingest with given vectors, time": (ingest_ratio, 1.35),
    "ingest with the model, time": (model_ingest_ratio, 1.08),
    "disk, whole home": (disk_ratio, 1.3),
}

if __name__ == "__main__":
    sys.exit(gate("chroma", BARS))
