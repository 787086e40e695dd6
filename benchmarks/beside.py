"""What it gains that hits are made while the disk is waited for (docs/adr/0065): the same searches with the kernel's
flush in the background and with one that is waited for before they are made, question by question in either order.

Prints medians of the paired differences in microseconds, by the clock and of this process's time on the processor;
below nothing is a gain. Writes no result: on a busy machine it says more of the machine than of the flush.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np

from securevec.audit.flushing import Work, beside, flush
from securevec.bench.data import corpus
from securevec.bench.measure import WARM, open_cases, open_store

DIMENSION = 384


def behind(descriptor: int, work: Work) -> None:
    """What is done where the kernel has no such call."""
    flush(descriptor)
    work()


def main() -> None:
    parser = argparse.ArgumentParser(description="Hits made beside the flush, and behind it.")
    parser.add_argument("--backend", default="edge", choices=("edge", "chroma"))
    parser.add_argument("--points", type=int, default=5_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=4)
    asked = parser.parse_args()
    data = corpus(asked.points, asked.questions + WARM, DIMENSION)
    with (
        tempfile.TemporaryDirectory(prefix="securevec-beside-", dir=Path.cwd()) as directory,
        open_store(Path(directory), asked.backend, DIMENSION) as store,
    ):
        cases = open_cases(store)
        records = data.records(0, asked.points)
        cases.ingest(records, vectors=data.vectors, vectors_of="anonymized_text")
        times = np.empty((2, 2, 2 * asked.rounds, asked.questions + WARM))
        for turn in range(2 * asked.rounds):
            for at, question in enumerate(data.questions):
                order = (turn + at) % 2
                for side in (order, 1 - order):
                    with nullcontext() if side else patch.object(beside, "flush", behind):
                        clock, processor = time.perf_counter_ns(), time.process_time_ns()
                        cases.search(vector=question, k=10)
                        took = time.perf_counter_ns() - clock, time.process_time_ns() - processor
                    times[:, side, turn, at] = took
    gained = (times[:, 1] - times[:, 0])[:, :, WARM:] / 1000
    for name, waited, of in zip(("by the clock", "on the processor"), times[:, 0] / 1000, gained, strict=True):
        low, middle, high = np.quantile(of.mean(axis=0), [0.25, 0.5, 0.75])
        print(f"{asked.backend}, {name}: {middle:+.0f} [{low:+.0f}, {high:+.0f}] of {np.median(waited):.0f} us")


if __name__ == "__main__":
    main()
