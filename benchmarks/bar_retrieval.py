"""What replacing names costs retrieval: the shipped detector, model and store against the raw texts, on one task.

    python benchmarks/bar_retrieval.py [--people N] [--json FILE]

1,000 documents about 200 people (retrieval_task.py). R@1: how often the first hit is the document that answers, raw
(exact cosine over unchanged texts) and through securevec on Edge, by the form in which the person is named. Beside it
the share of real names, whole or in part, that reached the embedder. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from result import RESULTS, about, write
from retrieval_task import FORMS, Task, task

import securevec as sv
from securevec.embed.minilm import MiniLM
from securevec.types import AnonymizedText, Matrix, mint_anonymized

MOST_LOST = 0.02
"""R@1 of questions by full name: at most this much below raw."""


class Fact(sv.Record):
    id: sv.Key[str]
    text: sv.Embed[str]


class Listening(MiniLM):
    """The shipped model, and every text that reached it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        self.heard.extend(text.text for text in texts)
        return super().embed(texts)


def raw_hits(model: Listening, given: Task) -> dict[str, float]:
    """R@1 by form over the unchanged texts."""
    documents = model.embed([mint_anonymized(text) for text in given.documents])
    found: dict[str, float] = {}
    for form, questions in given.questions.items():
        asked = model.embed([mint_anonymized(text) for text, _, _ in questions])
        best = np.argmax(asked @ documents.T, axis=1)
        found[form] = float(np.mean([hit == answer for hit, (_, answer, _) in zip(best, questions, strict=True)]))
    model.heard.clear()
    return found


def leaked(heard: Sequence[str], typed: Sequence[str]) -> float:
    """The share of names of which a word of at least three letters stands in the text that was embedded."""
    seen = 0
    for text, name in zip(heard, typed, strict=True):
        words = set(re.findall(r"[^\W\d_]+", text.casefold()))
        seen += any(part in words for part in re.findall(r"[^\W\d_]{3,}", name.casefold()))
    return seen / len(typed)


def measure(people: int) -> dict[str, Any]:
    given, model = task(people), Listening()
    raw = raw_hits(model, given)
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        opened = sv.SecureStore.open(place / "home", backend="edge", key_file=place / "keys" / "k", embedder=model)
        with opened as store:
            tenant = store.tenant("task", create=True, actor=sv.Actor("svc:task", purpose="benchmark"))
            facts = tenant.collection(Fact)
            facts.ingest({"id": str(n), "text": text} for n, text in enumerate(given.documents))
            names = [typed for _, _, typed in given.questions["full name"] for _ in range(5)]
            stored = leaked(model.heard, names)
            for form in FORMS:
                model.heard.clear()
                right = [
                    next(iter(facts.search(text, k=1))).id == str(answer) for text, answer, _ in given.questions[form]
                ]
                rows[form] = {
                    "raw": round(raw[form], 4),
                    "securevec": round(float(np.mean(right)), 4),
                    "names_reaching_the_embedder": round(
                        leaked(model.heard, [typed for _, _, typed in given.questions[form]]), 4
                    ),
                }
    full = rows["full name"]
    return {
        "forms": rows,
        "documents": len(given.documents),
        "people": people,
        "names_of_records_reaching_the_embedder": round(stored, 4),
        "bars": {"R@1 lost, full name": {"measured": round(full["raw"] - full["securevec"], 4), "most": MOST_LOST}},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="What replacing names costs retrieval.")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--json", type=Path, default=RESULTS / "retrieval.json")
    asked = parser.parse_args()
    made = about(f"bar_retrieval.py --people {asked.people}", "qdrant-edge-py", "sentence-transformers", "numpy")
    document = made | measure(asked.people)
    write(asked.json, document)
    for form, row in document["forms"].items():
        print(
            f"{form:14} R@1 raw {row['raw']:.3f}  securevec {row['securevec']:.3f}"
            f"  names reaching the embedder {row['names_reaching_the_embedder']:.1%}"
        )
    print(f"names of records reaching the embedder {document['names_of_records_reaching_the_embedder']:.1%}")
    missed = [name for name, bar in document["bars"].items() if bar["measured"] > bar["most"]]
    for name in missed:
        print(f"MISSED {name}: {document['bars'][name]['measured']:.3f}, at most {document['bars'][name]['most']:.3f}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
