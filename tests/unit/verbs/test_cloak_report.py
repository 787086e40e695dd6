"""What a cloak hides is measured, and the measure sees an attack that works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import securevec as sv
from securevec.crypto.cloak import Cloak
from securevec.errors import PolicyDenied, QueryError, UsageError
from securevec.policy import BuiltinPolicy, Decision, Request
from securevec.testing.embedders import HashEmbedder
from securevec.types import Matrix
from securevec.verbs.cloak_figures import measure
from tests.support.world import ACME, Ticket, ticket

WORDS = ("tea", "oil", "rye", "fig", "yam", "pea", "egg", "nut", "ham", "bun", "jam", "cod", "lime", "mint", "sage")


def vectors(rows: int = 400, size: int = 128) -> Matrix:
    rng = np.random.default_rng(1)
    drawn = rng.normal(size=(40, size))[rng.integers(0, 40, rows)] + 0.7 * rng.normal(size=(rows, size))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def test_averaging_matching_and_known_pairs_are_measured_under_a_cloak() -> None:
    texts = [f"text {number}" for number in range(400)]
    rotated, noisy = (measure(vectors(), texts, noise) for noise in (0.0, 2.0))
    assert rotated.recall == rotated.recall_of_store == 1.0
    assert noisy.recall >= 0.95 > noisy.recall_of_store
    # Rotation alone: a few known pairs, or the list of texts without any, give everything away. The figures say so.
    assert min(rotated.identified[pairs] for pairs in (4, 16, 64)) > 0.95
    assert rotated.identified_without > 0.95
    assert noisy.identified[4] < 0.5 < noisy.identified[64] + 0.4
    assert noisy.identified_without < 0.2
    assert rotated.chance == 1 / 400


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sv.SecureStore]:
    base = tmp_path_factory.mktemp("report")
    with sv.SecureStore.open(
        base / "home", backend="memory", key_file=base / "keys" / "root.key", embedder=HashEmbedder()
    ) as opened:
        opened.tenant("acme", create=True, actor=ACME)
        yield opened


@pytest.mark.parametrize("cloak", [None, Cloak(), Cloak(noise=1.5)], ids=["none", "rotate", "noise"])
def test_the_report_is_about_the_true_vectors_whatever_the_cloak(store: sv.SecureStore, cloak: Cloak | None) -> None:
    made = store.tenant("acme", actor=ACME).collection(Ticket, name=f"c-{cloak and cloak.noise}", cloak=cloak)
    with pytest.raises(UsageError):
        made.cloak_report()
    rows = [ticket(at, f"{one} with {two} and {at} more") for at, (one, two) in enumerate(_pairs())]
    made.ingest(rows)
    report = made.cloak_report(sample=100)
    assert (report.cloak, report.records, report.dimension) == (cloak, 100, HashEmbedder().identity.dimension)
    strengths = [each.noise for each in report.figures]
    assert strengths == sorted({0.0, 1.0, 2.0, 3.0, cloak.noise if cloak else 0.0})
    # Ties among made-up vectors: the order of equals is nobody's.
    assert report.figures[0].recall > 0.98
    # By chance of the key a tie costs one or two in a hundred; who did not see the true vectors finds one in a hundred.
    assert report.figures[0].identified[1] > 0.75
    with pytest.raises(QueryError):
        made.cloak_report(sample=99)


def test_the_report_leaves_nothing_out(store: sv.SecureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made = store.tenant("acme", actor=ACME).collection(Ticket, name="narrowed")
    decide = BuiltinPolicy.decide

    def narrowed(self: BuiltinPolicy, request: Request) -> Decision:
        return replace(decide(self, request), row_filter=sv.F("status") == "open")

    monkeypatch.setattr(BuiltinPolicy, "decide", narrowed)
    with pytest.raises(PolicyDenied):
        made.cloak_report()


def _pairs() -> list[tuple[str, str]]:
    return [(one, two) for one in WORDS for two in WORDS if one != two][:120]
