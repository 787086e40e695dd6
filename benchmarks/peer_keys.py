"""The other side of bar_keys.py, run by the Python of ``.venv-peers``: IronCore Alloy standalone, and hadamask.

Each line of standard input is ``{"work": name, "inner": repetitions}``, answered by ``{"us": microseconds each}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from hadamask.keys import MasterKey
from hadamask.metadata import MetadataCipher
from hadamask.transform import DenseTransform
from ironcore_alloy import (
    AlloyMetadata,
    PlaintextVector,
    RotatableSecret,
    Secret,
    Standalone,
    StandaloneConfiguration,
    StandaloneSecret,
    StandardSecrets,
    VectorSecret,
)

BATCH = 1000
VECTORS = 200
"""Alloy takes more than a millisecond for each."""
SIZES = (384, 768, 1536)
BETA = 2.0

Work = Callable[[int], Awaitable[int]]
"""Takes repetitions, and answers how many values were worked on."""


def works() -> dict[str, Work]:
    secret = StandaloneSecret(1, Secret(bytes(range(64))))
    alloy = Standalone(
        StandaloneConfiguration(
            StandardSecrets(1, [secret]), {}, {"vectors": VectorSecret(BETA, RotatableSecret(secret, None))}
        )
    )
    about = AlloyMetadata.new_simple("tenant")
    key = MasterKey.generate()
    cipher = MetadataCipher(key)
    text = "x" * 1024
    sealed = cipher.encrypt_value("body", text)

    async def alloy_seal(inner: int) -> int:
        for _ in range(inner):
            await alloy.standard().encrypt({"body": text.encode()}, about)
        return inner

    async def alloy_seal_batch(inner: int) -> int:
        documents = {str(number): {"body": text.encode()} for number in range(BATCH)}
        for _ in range(inner):
            done = await alloy.standard().encrypt_batch(documents, about)
            assert len(done.successes) == BATCH
        return inner * BATCH

    async def field_seal(inner: int) -> int:
        for _ in range(inner):
            cipher.encrypt_value("body", text)
        return inner

    async def field_open(inner: int) -> int:
        for _ in range(inner):
            cipher.decrypt_value("body", sealed)
        return inner

    made: dict[str, Work] = {
        "alloy_seal": alloy_seal,
        "alloy_seal_batch": alloy_seal_batch,
        "hadamask_seal": field_seal,
        "hadamask_open": field_open,
    }
    for size in SIZES:
        made[f"alloy_cloak_{size}"] = alloy_cloak(alloy, about, size)
        made[f"hadamask_rotate_{size}"] = dense(DenseTransform(key, size), size)
    return made


def vectors(rows: int, size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    drawn = np.random.default_rng(size).normal(size=(rows, size)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def alloy_cloak(alloy: Any, about: Any, size: int) -> Work:
    given = {
        str(number): PlaintextVector(plaintext_vector=row, secret_path="vectors", derivation_path="c")
        for number, row in enumerate(vectors(VECTORS, size).tolist())
    }

    async def work(inner: int) -> int:
        for _ in range(inner):
            done = await alloy.vector().encrypt_batch(given, about)
            assert len(done.successes) == VECTORS
        return inner * VECTORS

    return work


def dense(transform: DenseTransform, size: int) -> Work:
    given = vectors(BATCH, size)

    async def work(inner: int) -> int:
        for _ in range(inner):
            transform.encode(given)
        return inner * BATCH

    return work


async def main() -> None:
    ready = works()
    packages = ("ironcore-alloy", "hadamask", "numpy", "cryptography")
    print(json.dumps({package: version(package) for package in packages}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.perf_counter_ns()
        done = await ready[asked["work"]](asked["inner"])
        print(json.dumps({"us": (time.perf_counter_ns() - began) / done / 1000}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
