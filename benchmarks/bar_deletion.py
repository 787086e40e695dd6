"""How fast a tenant's deletion takes hold: 1,000 and 100,000 points, reads refused and keys gone within 200 ms in both.

    python benchmarks/bar_deletion.py [--points 1000 100000] [--json FILE]

One thread searches the tenant without pause and another asks for its keys, over an opening of the key store of its
own, while the tenant is deleted. Measured from the call to the first refusal of each; removing the points goes on after
both. The time a search takes is part of the first figure. Takes about two minutes. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

from result import RESULTS, about, report, write

from securevec.bench.data import corpus
from securevec.bench.sides import open_cases, open_store
from securevec.clock import Clock
from securevec.errors import KeyDestroyed, SecurevecError, TenantUnavailable
from securevec.keyproviders.file import FileRoot
from securevec.keys.keyring import KeyRing

MOST_MS = 200.0
_DIMENSION = 32


def deletion(points: int) -> dict[str, float]:
    """Milliseconds from the call of ``delete_tenant`` to each effect, and to its end."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        data = corpus(points, 1, _DIMENSION)
        with open_store(directory, "edge", _DIMENSION) as store:
            cases = open_cases(store)
            cases.ingest(data.records(0, points), vectors=data.vectors, vectors_of="anonymized_text")
            home = directory / "home"
            keys = KeyRing.open(home / "keys", FileRoot.load(directory / "root.key", home), Clock())
            tenant = cases._scope.tenant
            seen: dict[str, float] = {}
            begun = threading.Event()
            started = 0.0

            def read() -> None:
                begun.wait()
                while True:
                    try:
                        cases.search(vector=data.questions[0], k=10)
                    except TenantUnavailable:
                        seen["reads_refused_ms"] = (time.perf_counter() - started) * 1000
                        return
                    except SecurevecError as error:
                        seen["failed"] = 1.0
                        raise error

            def look() -> None:
                begun.wait()
                while True:
                    try:
                        keys.tenant_key(tenant, "id")
                    except KeyDestroyed:
                        seen["keys_gone_ms"] = (time.perf_counter() - started) * 1000
                        return
                    time.sleep(0.001)

            watchers = [threading.Thread(target=read), threading.Thread(target=look)]
            for watcher in watchers:
                watcher.start()
            started = time.perf_counter()
            begun.set()
            store.delete_tenant("bench").raise_if_incomplete()
            whole = (time.perf_counter() - started) * 1000
            for watcher in watchers:
                watcher.join(60)
            keys.close()
            return {**seen, "whole_ms": whole}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--points", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--json", type=Path, default=RESULTS / "deletion.json")
    options = parser.parse_args()
    made = about(f"bar_deletion.py --points {' '.join(map(str, options.points))}", "qdrant-edge-py")
    measured = {str(points): deletion(points) for points in options.points}
    most = {"reads_refused_ms": MOST_MS, "keys_gone_ms": MOST_MS}
    write(options.json, made | {"deletion": measured, "bars": most})
    bars: dict[str, tuple[float, float]] = {}
    for points, figures in measured.items():
        for figure in ("reads_refused_ms", "keys_gone_ms"):
            bars[f"{points} points, {figure}"] = (figures.get(figure, float("inf")), MOST_MS)
        print(f"{points} points, the whole deletion took {figures['whole_ms']:.0f} ms")
    return report(bars)


if __name__ == "__main__":
    sys.exit(main())
