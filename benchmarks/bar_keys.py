"""Sealing and the vector cloak against IronCore Alloy and hadamask, in turns in one run; recall under a cloak.

    python benchmarks/bar_keys.py [--rounds N] [--json FILE]

The peers run in ``.venv-peers`` (made by bar_detection.py's function when it is absent). Figures are the best of all
rounds. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast
from uuid import uuid4

import numpy as np
from bar_detection import peer_python
from result import RESULTS, about, report_least, write

from securevec.crypto.armour import from_text, to_text
from securevec.crypto.cloak import VectorCloak
from securevec.crypto.context import Place
from securevec.crypto.envelope import data_key, open_sealed, seal, seal_batch
from securevec.crypto.secret import Secret
from securevec.types import Matrix, mint_anonymized

SIZES = (384, 768, 1536)
BATCH = 1000
BETA = 2.0
FETCH = 5
K = 10
LEAST = {
    "Alloy, seal 1 KB, times faster": 20.0,
    "Alloy, seal a batch of 1,000, times faster": 12.0,
    "hadamask, seal a field, times faster": 3.0,
    "hadamask, open a field, times faster": 3.0,
    **{f"Alloy, cloak a batch at {size}, times faster": 20.0 for size in SIZES},
    **{f"hadamask, dense rotation at {size}, times faster": 1.5 for size in SIZES},
    "recall@10, rotated": 0.999,
    "recall@10, noise 2 with re-score": 0.99,
}
INNER = {"seal": 2000, "open": 2000, "batch": 2, "cloak": 3}


def ours() -> dict[str, tuple[Callable[[], object], int, int]]:
    """Name to work, repetitions, and values a repetition works on."""
    tenant, collection = os.urandom(16), os.urandom(16)
    key = data_key(
        Secret.random(), key_id=os.urandom(16), tenant=tenant, collection=collection, purpose="body", epoch="r0/never"
    )
    place = Place(tenant=tenant, collection=collection, point=uuid4(), field="body")
    text = "x" * 1024
    raw = text.encode()
    batch = [(raw, place)] * BATCH
    sealed = to_text(seal(key, raw, place))
    works: dict[str, tuple[Callable[[], object], int, int]] = {
        "seal": (lambda: seal(key, raw, place), INNER["seal"], 1),
        "seal_batch": (lambda: seal_batch(key, batch), INNER["batch"], BATCH),
        # From text to text, as hadamask's fields are.
        "field_seal": (lambda: to_text(seal(key, text.encode(), place)), INNER["seal"], 1),
        "field_open": (lambda: open_sealed(key, from_text(sealed), place).decode(), INNER["open"], 1),
    }
    seeds = [b"chunk %d" % number for number in range(BATCH)]
    for size in SIZES:
        cloak = VectorCloak(os.urandom(32), collection=collection, dimension=size, noise=BETA)
        given = units(np.random.default_rng(size).normal(size=(BATCH, size)))
        works[f"rotate_{size}"] = (partial(cloak.rotate, given), INNER["cloak"], BATCH)
        works[f"cloak_{size}"] = (partial(_cloaked, cloak, given, seeds), INNER["cloak"], BATCH)
    return works


def _cloaked(cloak: VectorCloak, given: Matrix, seeds: Sequence[bytes]) -> Matrix:
    return cloak.displace(cloak.rotate(given), seeds)


def timed(work: Callable[[], object], inner: int, values: int) -> float:
    began = time.perf_counter_ns()
    for _ in range(inner):
        work()
    return (time.perf_counter_ns() - began) / inner / values / 1000


def in_turns(rounds: int) -> tuple[dict[str, float], dict[str, str]]:
    """The best microseconds a value of each work, ours and the peers', and the peers' versions."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    works = ours()
    theirs = {"alloy_seal": 200, "alloy_seal_batch": 1, "hadamask_seal": 2000, "hadamask_open": 2000}
    theirs |= {f"alloy_cloak_{size}": 1 for size in SIZES} | {f"hadamask_rotate_{size}": 3 for size in SIZES}
    best = dict.fromkeys([*works, *theirs], float("inf"))
    with subprocess.Popen(
        [peer_python(), Path(__file__).parent / "peer_keys.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as peer:
        asked, answers = cast("TextIO", peer.stdin), cast("TextIO", peer.stdout)
        versions: dict[str, str] = json.loads(answers.readline())
        for _ in range(rounds):
            for name, (work, inner, values) in works.items():
                best[name] = min(best[name], timed(work, inner, values))
            for name, inner in theirs.items():
                asked.write(json.dumps({"work": name, "inner": inner}) + "\n")
                asked.flush()
                best[name] = min(best[name], float(json.loads(answers.readline())["us"]))
        asked.close()
    return best, versions


def technical_texts(wanted: int) -> list[str]:
    """Paragraphs of the documentation that comes with Python, about everything a library is about."""
    found: dict[str, None] = {}
    for module in sorted(found.name for found in pkgutil.iter_modules() if found.name in sys.stdlib_module_names):
        if module.startswith("_") or module in {"antigravity", "this", "idlelib", "turtledemo"}:
            continue
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            continue
        for value in vars(loaded).values():
            parts = [value, *(vars(value).values() if isinstance(value, type) else ())]
            for part in parts:
                doc = getattr(part, "__doc__", None)
                if isinstance(doc, str):
                    found |= dict.fromkeys(" ".join(each.split()) for each in doc.split("\n\n") if len(each) > 80)
        if len(found) >= wanted:
            break
    return list(found)[:wanted]


def recall(documents: int, questions: int) -> dict[str, Any]:
    """Recall of the true ten nearest on vectors of the shipped model, brute force on both sides."""
    from securevec.embed.minilm import MiniLM

    model = MiniLM()
    model.warm()
    texts = technical_texts(documents + questions)
    vectors = np.vstack(
        [model.embed([mint_anonymized(text) for text in texts[at : at + 64]]) for at in range(0, len(texts), 64)]
    )
    held, asked = vectors[:-questions], vectors[-questions:]
    seeds = [text.encode() for text in texts[:-questions]]
    true = nearest(asked @ held.T, K)
    cloak = VectorCloak(os.urandom(32), collection=os.urandom(16), dimension=held.shape[1], noise=BETA)
    rotated, question = cloak.rotate(held), cloak.rotate(asked)
    shown = units(cloak.displace(rotated, seeds))
    fetched = nearest(question @ shown.T, K * FETCH)
    restored = cloak.restore(shown, seeds)
    again = np.vstack(
        [row[nearest((one @ restored[row].T)[None, :], K)[0]] for one, row in zip(question, fetched, strict=True)]
    )
    return {
        "documents": len(held),
        "questions": questions,
        "rotated": shared(true, nearest(question @ rotated.T, K)),
        "noise 2, as the store ranks": shared(true, nearest(question @ shown.T, K)),
        "noise 2 with re-score": shared(true, again),
    }


def units(rows: Any) -> Matrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def nearest(scores: Matrix, k: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    return np.argsort(-scores, axis=1)[:, :k]


def shared(one: Any, two: Any) -> float:
    return float(np.mean([len(set(left) & set(right)) / len(left) for left, right in zip(one, two, strict=True)]))


def main() -> int:
    parser = argparse.ArgumentParser(description="Sealing and the vector cloak against IronCore Alloy and hadamask.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--json", type=Path, default=RESULTS / "keys.json")
    asked = parser.parse_args()
    made = about(f"bar_keys.py --rounds {asked.rounds}", "numpy")
    best, peers = in_turns(asked.rounds)
    found = recall(asked.documents, asked.questions)
    measured = {
        "Alloy, seal 1 KB, times faster": best["alloy_seal"] / best["seal"],
        "Alloy, seal a batch of 1,000, times faster": best["alloy_seal_batch"] / best["seal_batch"],
        "hadamask, seal a field, times faster": best["hadamask_seal"] / best["field_seal"],
        "hadamask, open a field, times faster": best["hadamask_open"] / best["field_open"],
        "recall@10, rotated": found["rotated"],
        "recall@10, noise 2 with re-score": found["noise 2 with re-score"],
    }
    for size in SIZES:
        measured[f"Alloy, cloak a batch at {size}, times faster"] = best[f"alloy_cloak_{size}"] / best[f"cloak_{size}"]
        measured[f"hadamask, dense rotation at {size}, times faster"] = (
            best[f"hadamask_rotate_{size}"] / best[f"rotate_{size}"]
        )
    document: dict[str, Any] = made | {
        "bars": {name: {"measured": round(measured[name], 4), "least": least} for name, least in LEAST.items()},
        "microseconds": {name: round(value, 3) for name, value in best.items()},
        "recall": found,
        "rounds": asked.rounds,
    }
    document["versions"] |= {"their numpy" if name == "numpy" else name: value for name, value in peers.items()}
    write(asked.json, document)
    return report_least(document["bars"])


if __name__ == "__main__":
    sys.exit(main())
