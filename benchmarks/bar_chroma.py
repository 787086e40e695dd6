"""What securevec costs on Chroma's files: 20,000 points, metadata of 1 KB, k = 10, everything interleaved in one run.

    python benchmarks/bar_chroma.py [--points N] [--questions N] [--rounds N] [--json FILE]

The bar for a search is 1.15 times the vendor's time and 1.2 times a durable append; the model apart. It is decided by
the median of ratios: each question is asked of both, one right behind the other, in either order, several rounds.
Takes about two minutes on two quiet cores. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import sys

from cost import Bars, disk_ratio, gate, ingest_ratio, model_ingest_ratio, search_ratio, unlike_answers

BARS: Bars = {
    "search, ratio without 1.2 appends": (search_ratio, 1.15),
    "questions answered unlike the vendor": (unlike_answers, 0.0),
    "ingest with given vectors, time": (ingest_ratio, 1.35),
    "ingest with the model, time": (model_ingest_ratio, 1.08),
    "disk, whole home": (disk_ratio, 1.3),
}

if __name__ == "__main__":
    sys.exit(gate("chroma", BARS, points=20_000))
