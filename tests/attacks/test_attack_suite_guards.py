"""The shipped suite notices: a guard is taken out of the product, and the paths it keeps shut are leaks, in the verdict
or where the first barrier is gone too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from securevec import search
from securevec.attack import ATTACKS
from securevec.attack.run import Runner, staged
from securevec.attack.server import Nothing
from securevec.cli.main import main
from securevec.crypto.armour import from_text
from securevec.crypto.context import Place
from securevec.crypto.envelope import open_sealed, read_key_id
from securevec.errors import EnvelopeRejected, FilterError, IsolationViolation, UnknownFormat, UnknownKey
from securevec.filters import Exists, Expr, check
from securevec.keys.keyring import KeyRing
from securevec.keys.keyview import KeyView
from securevec.keys.versions import KeyVersions
from securevec.points import protect
from securevec.reading import judge, opening, question, revealing
from securevec.removing import batch, points, tenant_evidence
from securevec.testing.lying import LyingBackend
from securevec.types import Namespace, ProtectedPoint, StoredPoint
from securevec.verbs import walk
from securevec.writing import inserting as writing
from tests.support.attacks import without_counting_each_point_once

Patch = pytest.MonkeyPatch


def always(*_: object, **__: object) -> bool:
    return True


def never(*_: object, **__: object) -> bool:
    return False


def do_nothing(*_: object, **__: object) -> None:
    """What stands where a guard stood."""


def without_the_sealed_filter_values(patch: Patch) -> None:
    patch.setattr(judge, "matches", always)
    patch.setattr(walk, "matches", always)


def without_the_manifest(patch: Patch) -> None:
    def all_of_them(
        runtime: object, collection: object, found: list[object], asked: object
    ) -> tuple[list[object], bool]:
        return found, False

    def live(judged: object, known: object) -> str:
        return "live"

    patch.setattr(judge, "_state_of", live)
    patch.setattr(search, "_still_live", all_of_them)


def without_the_sealed_expiry(patch: pytest.MonkeyPatch) -> None:
    """It is read twice: when a point is judged, and before the answer leaves."""
    patch.setattr(judge, "expired", never)
    patch.setattr("securevec.search.expired", never)


def without_the_place(patch: Patch) -> None:
    """Sealed values open wherever they lie: the place each was sealed for is remembered when the product writes it."""
    sealed: dict[object, UUID] = {}
    insert = LyingBackend.insert

    def remember(self: LyingBackend, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        for point in points:
            sealed.update({point.payload[key]: point.id for key in ("b", "v") if key in point.payload})
        insert(self, namespace=namespace, points=points)

    def anywhere(
        keys: Any, collection: object, point: StoredPoint, *, payload_key: str, path: str, blob: object = None
    ) -> bytes:
        value = point.payload.get(payload_key)
        sealed_value = from_text(value)
        key = keys.key_by_id(read_key_id(sealed_value))
        if value not in sealed:
            raise EnvelopeRejected("Never written by the product.")
        place = Place(tenant=key.tenant, collection=key.collection, point=sealed[value], field=key.purpose)
        return open_sealed(key, sealed_value, place)

    patch.setattr(LyingBackend, "insert", remember)
    patch.setattr(judge, "open_envelope", anywhere)
    patch.setattr(revealing, "open_envelope", anywhere)
    patch.setattr(judge, "check_place", do_nothing)


def without_telling_the_unknown_from_the_wrong(patch: Patch) -> None:
    open_envelope = opening.open_envelope

    def wrong(*given: Any, **named: Any) -> bytes:
        try:
            return open_envelope(*given, **named)
        except (UnknownKey, UnknownFormat) as error:
            raise EnvelopeRejected("Does not open.") from error

    patch.setattr(judge, "open_envelope", wrong)


def without_counting(patch: Patch) -> None:
    class Uncounted(judge.Verdicts):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, 0 if name == "violations" else value)

    patch.setattr(judge, "Verdicts", Uncounted)


def without_looking_at_what_is_missing(patch: Patch) -> None:
    """Listings leave out what the store does not show."""
    opened = walk.open_records

    def shown(runtime: Any, collection: Any, refs: Sequence[Any]) -> Any:
        found, violations = {}, 0
        for ref in refs:
            try:
                one, more = opened(runtime, collection, [ref])
            except IsolationViolation:
                continue
            found.update(one)
            violations += more
        return found, violations

    patch.setattr(walk, "open_records", shown)


def without_the_field_list(patch: Patch) -> None:
    """A filter may name any key of the payload."""
    leaf = protect.FilterProtector._leaf

    def any_key(self: Any, expr: Any) -> Any:
        return leaf(self, expr) if expr.key in self._fields else expr

    patch.setattr(protect.FilterProtector, "_leaf", any_key)


def a_bad_filter_is_ignored(patch: Patch) -> None:
    def first(parts: Sequence[Expr]) -> Expr:
        return parts[0]

    def lenient(expr: object) -> Expr:
        try:
            return check(expr)
        except FilterError:
            return Exists("status")

    patch.setattr(question, "check", lenient)
    patch.setattr(question, "all_of", first)


def without_counting_halves(patch: Patch) -> None:
    halves = search._with_first_chunks

    def silent(runtime: Any, collection: Any, accepted: Any) -> Any:
        return halves(runtime, collection, accepted)[0], 0

    patch.setattr(search, "_with_first_chunks", silent)


def without_place_or_manifest(patch: Patch) -> None:
    without_the_place(patch)
    without_the_manifest(patch)


def one_key_for_all_tenants(patch: Patch) -> None:
    def shared(self: object, tenant: object, purpose: str) -> bytes:
        return sha256(purpose.encode()).digest()

    def one_for_all(self: object, tenant: object) -> KeyVersions:
        return KeyVersions(1, sha256(b"pseudonym").digest())

    patch.setattr(KeyRing, "tenant_key", shared)
    patch.setattr(KeyView, "tenant_key", shared)
    patch.setattr(KeyRing, "pseudonym_keys", one_for_all)


def trusting_removal(patch: Patch) -> None:
    def trusting(runtime: Any, tenant: Any, namespace: Any, collection: Any, rows: Any) -> None:
        runtime.backend().delete(namespace=namespace, ids=points.ids_of(runtime, tenant, collection, rows))

    patch.setattr(batch, "remove_points", trusting)


def believing_the_store(patch: Patch) -> None:
    def nowhere(self: LyingBackend) -> Iterator[str]:
        return iter(())

    patch.setattr(tenant_evidence, "_require_empty", do_nothing)
    patch.setattr(LyingBackend, "namespaces", nowhere)


def with_statistics_of_all_tenants(patch: Patch) -> None:
    """A store whose scores depend on how much it holds, whoever it belongs to."""
    query = LyingBackend.query

    def shared(self: LyingBackend, **asked: Any) -> list[StoredPoint]:
        stored = sum(self.inner.count(namespace=place) for place in self.among or ())
        return [replace(point, score=point.score / stored) for point in query(self, **asked)]

    patch.setattr(LyingBackend, "query", shared)


GUARDS: dict[str, tuple[Callable[[Patch], object], str]] = {
    "the sealed filter values": (
        without_the_sealed_filter_values,
        "edited-metadata edited-date edited-listing answer-unfiltered",
    ),
    "the manifest": (
        without_the_manifest,
        "rolled-back-row deleted-row answer-resurrected answer-replayed deletes-dropped",
    ),
    "the sealed expiry": (without_the_sealed_expiry, "edited-expiry"),
    "the envelope's place": (
        without_the_place,
        "foreign-row foreign-row-new-id foreign-row-over-own relabelled-rows foreign-body swapped-rows "
        "row-under-new-id other-collection other-collections-body half-foreign mostly-foreign answer-foreign "
        "answer-swapped foreign-vault unfiltered-query filter-composition filter-value negation-without-key "
        "write-foreign-vector query-by-foreign-text",
    ),
    "place and manifest": (
        without_place_or_manifest,
        "cache-bleed restore-foreign-original other-own-collection recreated-tenant",
    ),
    "the unknown is an error": (without_telling_the_unknown_from_the_wrong, "unknown-key-or-format"),
    "violations are counted": (
        without_counting,
        "damaged-body body-and-vault plaintext rolled-back-body answer-corrupted",
    ),
    "half a record is counted": (without_counting_halves, "foreign-first-chunk"),
    "the manifest in listings": (without_looking_at_what_is_missing, "hidden-row answer-truncated"),
    "declared fields only": (without_the_field_list, "callers-tenant-filter"),
    "a bad filter is refused": (a_bad_filter_is_ignored, "json-path-key crafted-filter changing-filter"),
    "a prefix of its own for fields": (lambda patch: patch.setattr(protect, "PREFIX", ""), "reserved-key"),
    "keys of each tenant": (one_key_for_all_tenants, "linkable-surrogates"),
    "the cursor's seal": (
        lambda patch: patch.setattr("securevec.verbs.cursors.compare_digest", always),
        "foreign-cursor",
    ),
    "scores of one's own rows": (with_statistics_of_all_tenants, "shared-statistics"),
    "each point once": (without_counting_each_point_once, "answer-twice"),
    "writes are read back": (lambda patch: patch.setattr(writing, "_read_back", do_nothing), "writes-dropped"),
    "deletions are read back": (trusting_removal, "deletes-dropped"),
    "dropped collections are looked for": (believing_the_store, "drop-ignored"),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_the_paths_it_keeps_shut_are_leaks(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    remove, names = GUARDS[guard]
    expected = set(names.split())
    remove(monkeypatch)
    with staged("memory") as (stage, _):
        runner = Runner(stage, Nothing())
        outcomes = [runner.carry_out(case) for case in ATTACKS if case.name in expected]
    assert {each.name for each in outcomes if each.leaked} == expected


def test_the_command_says_that_something_leaked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECUREVEC_HOME", str(tmp_path / "home"))
    without_the_sealed_filter_values(monkeypatch)
    assert main(["attack", "--backend", "memory", "--only", "edited-metadata"]) == 1
    assert "LEAK" in capsys.readouterr().out
