"""What an envelope costs: sealing and opening against raw AES-GCM, interleaved in one run.

    python benchmarks/bar_crypto.py [--json benchmarks/results/crypto.json]

Ratios travel between machines, microseconds do not. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from result import RESULTS, about, report, write

from securevec.crypto.context import Place
from securevec.crypto.envelope import data_key, open_sealed, seal, seal_batch
from securevec.crypto.secret import Secret

BARS = {"seal_1kb": 2.2, "open_1kb": 3.0, "seal_batch": 1.4}


def best_us(work: Callable[[], object], inner: int) -> float:
    started = time.perf_counter_ns()
    for _ in range(inner):
        work()
    return (time.perf_counter_ns() - started) / inner / 1000


def crypto() -> dict[str, float]:
    """Interleaved rounds, minima, as ratios to raw AES-GCM (with a fresh nonce for sealing)."""
    tenant, collection = os.urandom(16), os.urandom(16)
    key = data_key(
        Secret.random(), key_id=os.urandom(16), tenant=tenant, collection=collection, purpose="body", epoch="r0/never"
    )
    place = Place(tenant=tenant, collection=collection, point=uuid4(), field="body")
    text, bound = os.urandom(1024), os.urandom(100)
    raw, nonce = AESGCM(os.urandom(32)), os.urandom(12)
    ciphertext, sealed = raw.encrypt(nonce, text, bound), seal(key, text, place)
    batch = [(text, place)] * 1000

    def raw_batch() -> None:
        nonces = os.urandom(12_000)
        kept: list[bytes] = []
        for start in range(0, 12_000, 12):
            part = nonces[start : start + 12]
            kept.append(part + raw.encrypt(part, text, bound))

    works: dict[str, tuple[Callable[[], object], int]] = {
        "raw_seal": (lambda: raw.encrypt(os.urandom(12), text, bound), 2000),
        "seal": (lambda: seal(key, text, place), 2000),
        "raw_open": (lambda: raw.decrypt(nonce, ciphertext, bound), 2000),
        "open": (lambda: open_sealed(key, sealed, place), 2000),
        "raw_batch": (raw_batch, 2),
        "batch": (lambda: seal_batch(key, batch), 2),
    }
    best = dict.fromkeys(works, float("inf"))
    for _ in range(25):
        for name, (work, inner) in works.items():
            best[name] = min(best[name], best_us(work, inner))
    return {
        "seal_1kb": best["seal"] / best["raw_seal"],
        "open_1kb": best["open"] / best["raw_open"],
        "seal_batch": best["batch"] / best["raw_batch"],
        "seal_1kb_us": best["seal"],
        "open_1kb_us": best["open"],
        "bytes_over_plaintext": float(len(sealed) - len(text)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, default=RESULTS / "crypto.json")
    options = parser.parse_args()
    made = about("bar_crypto.py", "cryptography")
    measured = crypto()
    write(options.json, made | {"crypto": measured, "bars": BARS})
    return report({name: (measured[name], most) for name, most in BARS.items()})


if __name__ == "__main__":
    sys.exit(main())
