"""Measure the key store of a large installation: how many keys, how many bytes, how long a rewrap of all takes.

    python benchmarks/bar_keystore.py [--records 10000000]

100 tenants with 5 collections each, 36 expiry buckets of 30 days, 20 long-lived writers that all write to every
collection in every bucket, and 300 runs of the command line a day, each a process of its own that writes to one
collection and ends. The key ring is the real one; of records only their messages are charged, nothing is sealed. The
file is looked at after every bucket. ``--vaults`` makes a vault DEK beside each body DEK, as collections do that keep
originals. The store lies in memory (/dev/shm) where there is such a place: the bar is about bytes, and the disk would
be waited for 700,000 times. The rewrap is of its last state, on a disk; every key is opened afterwards.
Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from result import RESULTS, about, report, write

from securevec.clock import Clock
from securevec.keyproviders.file import FileRoot
from securevec.keys.keyring import DataPurpose, KeyRing
from securevec.types import CollectionId, TenantId

TENANTS, COLLECTIONS, BUCKETS, DAYS, WRITERS, RUNS = 100, 5, 36, 30, 20, 300
RETENTION_MS = 3 * 365 * 86_400_000
MOST_MB, MOST_SECONDS = 2.5, 10.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--vaults", action="store_true", help="A second, larger store.")
    parser.add_argument("--buckets", type=int, default=BUCKETS, help="Fewer, for a trial.")
    parser.add_argument("--json", type=Path, default=RESULTS / "keystore.json")
    options = parser.parse_args()
    made = about(f"bar_keystore.py --records {options.records}", "cryptography")
    runs = [simulate(options.records, options.buckets, ("body",))]
    if options.vaults:
        runs.append(simulate(options.records, options.buckets, ("body", "vault")))
    bars = {
        "MB at its largest": {
            "measured": max(runs[0]["largest_bytes"], runs[0]["bytes_after_rewrap"]) / 1e6,
            "most": MOST_MB,
        },
        "all keys under new KEKs, seconds": {"measured": runs[0]["rewrap_seconds"], "most": MOST_SECONDS},
    }
    write(options.json, made | {"bars": bars, "sqlite": sqlite3.sqlite_version, "runs": runs})
    return report({name: (bar["measured"], bar["most"]) for name, bar in bars.items()})


def simulate(records: int, buckets: int, purposes: tuple[DataPurpose, ...]) -> dict[str, Any]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        root_path, home = Path(directory) / "key" / "root.key", Path(directory) / "home"
        ring = KeyRing.create(home / "keys", FileRoot.create(root_path, home), Clock())
        places = [
            (tenant, CollectionId(uuid4().hex))
            for tenant in (TenantId(uuid4().hex) for _ in range(TENANTS))
            for _ in range(COLLECTIONS)
        ]
        for tenant in dict.fromkeys(tenant for tenant, _ in places):
            ring.create_tenant(tenant)
        begun = time.perf_counter()
        sizes = [_live_bucket(ring, home, places, purposes, number, records // buckets) for number in range(buckets)]
        lived = time.perf_counter() - begun
        keys = ring.list_keys()
        deks = [key for key in keys if key.kind == "dek"]
        result: dict[str, Any] = {
            "records": records,
            "purposes": list(purposes),
            "tenants": TENANTS,
            "collections": len(places),
            "buckets": buckets,
            "writers": WRITERS,
            "runs_a_day": RUNS,
            "processes": WRITERS + RUNS * DAYS * buckets,
            "keys": len(keys),
            "deks": len(deks),
            "full_deks": sum(key.state == "full" for key in deks),
            "most_blocks_of_a_dek": max(key.leased for key in deks) >> 20,
            "largest_bytes": max(sizes),
            "bytes_a_key": round(sizes[-1] / len(keys), 1),
            "seconds_simulated_in": round(lived, 1),
        }
        ring._store.vacuum()
        result["packed_bytes"] = _size(home)
        result |= rewrap(home, root_path)
        ring.close()
        print(json.dumps(result), file=sys.stderr, flush=True)
        return result


def _live_bucket(
    ring: KeyRing,
    home: Path,
    places: list[tuple[TenantId, CollectionId]],
    purposes: tuple[DataPurpose, ...],
    number: int,
    records: int,
) -> int:
    """Thirty days of writing into one bucket. Returns the size of the file at its end."""
    chance = random.Random(number)
    epoch = f"r{RETENTION_MS}/b{1_767_225_600_000 + number * DAYS * 86_400_000}"
    runs = RUNS * DAYS
    each = max(1, records // (WRITERS * len(places) + runs))

    def process(written: list[tuple[TenantId, CollectionId]]) -> None:
        ring._open.forget()  # another process: no lease and no open key of its own
        for tenant, collection in written:
            for purpose in purposes:
                ring.data_key(tenant, collection, purpose, epoch, messages=each)

    for _ in range(WRITERS):
        process(chance.sample(places, len(places)))
    for _ in range(runs):
        process([chance.choice(places)])
    return _size(home)


def rewrap(home: Path, root_path: Path) -> dict[str, Any]:
    """Every tenant gets a new KEK, and every key below it is wrapped anew: a transaction for each tenant, on disk."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "keys").mkdir(mode=0o700)
        shutil.copyfile(home / "keys" / "keys.db", Path(directory) / "keys" / "keys.db")
        (Path(directory) / "keys" / "keys.db").chmod(0o600)
        root = FileRoot.load(root_path, Path(directory))
        ring = KeyRing.open(Path(directory) / "keys", root, Clock())
        begun = time.perf_counter()
        wrapped = ring.rotate_tenants(ring.tenants_with_keys())
        seconds = time.perf_counter() - begun
        ring.close()
        opened = KeyRing.open(Path(directory) / "keys", root, Clock())
        for key in opened.list_keys():
            if key.kind == "dek":
                opened.key_by_id(bytes.fromhex(key.key_id))
        size = (Path(directory) / "keys" / "keys.db").stat().st_size
        return {"rewrap_seconds": round(seconds, 2), "rewrapped": wrapped, "bytes_after_rewrap": size}


def _size(home: Path) -> int:
    return (home / "keys" / "keys.db").stat().st_size


if __name__ == "__main__":
    sys.exit(main())
