"""What securevec costs on Qdrant Edge: 50,000 points, payloads of 1 KB, k = 10, everything interleaved in one run.

    python benchmarks/bar_edge.py [--points N] [--questions N] [--rounds N] [--json FILE]

The bar for a search is the vendor's time, 1.2 times a durable append, and 0.6 ms; the model apart. It is decided by
the median of differences: each question is asked of both, one right behind the other, in either order, several rounds.
Takes about three minutes on two quiet cores. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import sys

from cost import Bars, disk_ratio, gate, model_ingest_ratio, search_added_ms, unlike_answers

BARS: Bars = {
    "search, ms above vendor and 1.2 appends": (search_added_ms, 0.6),
    "questions answered unlike the vendor": (unlike_answers, 0.0),
    "ingest with the model, time": (model_ingest_ratio, 1.08),
    "disk, whole home": (disk_ratio, 1.3),
}

if __name__ == "__main__":
    sys.exit(gate("edge", BARS, points=50_000))
