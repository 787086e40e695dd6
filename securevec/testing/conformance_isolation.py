"""Rule 1 and rule 4: nothing reaches outside its namespace, and an empty id list is not a filter."""

from __future__ import annotations

import pytest

from securevec.backend import VectorBackend
from securevec.errors import BackendError, RecordError
from securevec.filters import F
from securevec.testing.conformance_case import (
    SPEC,
    ConformanceCase,
    a_namespace,
    a_point,
    a_vector,
    an_id,
    fill,
    held,
    numbers,
)
from securevec.types import Namespace


class IsolationConformance(ConformanceCase):
    def test_fetching_a_foreign_id_finds_nothing(
        self, backend: VectorBackend, mine: Namespace, theirs: Namespace
    ) -> None:
        """Look at the call that reads by id: most engines have one that takes no filter."""
        fill(backend, mine, [100])
        found = backend.fetch(namespace=mine, ids=[an_id(3), an_id(100)])
        assert numbers(found) == [100]

    def test_a_search_with_a_foreign_vector_finds_only_own_points(
        self, backend: VectorBackend, mine: Namespace, theirs: Namespace
    ) -> None:
        """Look at how the tenant condition is joined to the search: it must be in the root and in every leaf."""
        fill(backend, mine, [100, 101])
        found = backend.query(namespace=mine, vector=a_vector(3), where=None, limit=50)
        assert set(numbers(found)) == {100, 101}

    def test_no_condition_of_the_caller_widens_a_namespace(
        self, backend: VectorBackend, mine: Namespace, theirs: Namespace
    ) -> None:
        """Look at how the caller's condition is joined: merged as a sibling ``or`` it replaces the tenant's."""
        fill(backend, mine, [100])
        for where in (
            (F("n") == 100) | (F("n") == 3),
            ~(F("n") == 12345),
            (F("t") == theirs.tenant_tag) | F("n").exists(),
            F("c") != "elsewhere",
        ):
            assert numbers(backend.query(namespace=mine, vector=a_vector(3), where=where, limit=50)) == [100]
            assert numbers(backend.scan(namespace=mine, where=where, cursor=None, limit=50).points) == [100]
            assert backend.count(namespace=mine, where=where) == 1
        assert backend.count(namespace=mine, where=F("t") == theirs.tenant_tag) == 0

    def test_deleting_a_foreign_id_deletes_nothing(
        self, backend: VectorBackend, mine: Namespace, theirs: Namespace
    ) -> None:
        """Look at the selector of the delete: by ids alone it has no owner."""
        fill(backend, mine, [100])
        backend.delete(namespace=mine, ids=[an_id(number) for number in range(10)])
        assert held(backend, theirs) == set(range(10))
        assert held(backend, mine) == {100}

    def test_inserting_a_foreign_id_leaves_the_foreign_point_alone(
        self, backend: VectorBackend, mine: Namespace, theirs: Namespace
    ) -> None:
        """Look at the upsert: without a condition it overwrites the point and its owner. Refusing is as good as keeping
        both, where all tenants share one space of ids."""
        before = backend.fetch(namespace=theirs, ids=[an_id(3)], with_vectors=True)[0]
        try:
            backend.insert(namespace=mine, points=[a_point(mine, 3, {"f_a": "taken"}, a_vector(77))])
        except BackendError:
            assert backend.fetch(namespace=mine, ids=[an_id(3)]) == []
        else:
            assert backend.fetch(namespace=mine, ids=[an_id(3)])[0].payload["f_a"] == "taken"
        after = backend.fetch(namespace=theirs, ids=[an_id(3)], with_vectors=True)[0]
        assert after.payload == before.payload
        assert before.vector is not None
        assert after.vector is not None
        assert after.vector.tolist() == before.vector.tolist()

    def test_a_point_stamped_for_another_place_is_refused(
        self, backend: VectorBackend, mine: Namespace, theirs: Namespace
    ) -> None:
        """Look at the order of stamping: the namespace's tags are compared first and written last."""
        for payload in ({"t": theirs.tenant_tag}, {"c": theirs.collection_tag}, {"t": 1}, {"c": True}):
            with pytest.raises(RecordError):
                backend.insert(namespace=mine, points=[a_point(mine, 100, payload)])
        assert held(backend, mine) == set()
        assert held(backend, theirs) == set(range(10))

    def test_two_collections_of_one_tenant_are_apart(self, backend: VectorBackend, mine: Namespace) -> None:
        """Look for the collection tag: a filter on the tenant alone joins the tenant's collections."""
        other = a_namespace("mine", "invoices")
        backend.ensure(namespace=other, spec=SPEC)
        fill(backend, mine, [1, 2])
        fill(backend, other, [11])
        assert (held(backend, mine), held(backend, other)) == ({1, 2}, {11})
        backend.delete(namespace=other, ids=[an_id(1), an_id(2)])
        backend.drop(namespace=other)
        assert held(backend, mine) == {1, 2}

    def test_dropping_and_purging_leave_the_neighbours_whole(
        self, backend: VectorBackend, mine: Namespace, theirs: Namespace
    ) -> None:
        """Look at what the removal selects: an empty condition selects everything."""
        fill(backend, mine, [100, 101])
        backend.purge(namespace=mine)
        assert held(backend, mine) == {100, 101}
        report = backend.drop(namespace=mine)
        assert (report.points, report.index_removed) == (2, True)
        assert held(backend, mine) == set()
        assert held(backend, theirs) == set(range(10))

    def test_an_empty_list_of_ids_reads_and_deletes_nothing(self, backend: VectorBackend, theirs: Namespace) -> None:
        """Look at how an empty list becomes a filter: an empty filter means everything."""
        assert backend.fetch(namespace=theirs, ids=[]) == []
        backend.delete(namespace=theirs, ids=[])
        backend.insert(namespace=theirs, points=[])
        assert held(backend, theirs) == set(range(10))

    def test_a_namespace_that_is_not_three_hex_names_reaches_nothing(
        self, backend: VectorBackend, mine: Namespace
    ) -> None:
        """Look at what becomes of a shard's name: it must never be a path."""
        for name in ("", "..", "../../etc", "a" * 31, "A" * 32, "a" * 32 + "\n", "%s" * 16):
            for strange in (
                Namespace(name, mine.tenant_tag, mine.collection_tag),
                Namespace(mine.shard, name, mine.collection_tag),
                Namespace(mine.shard, mine.tenant_tag, name),
            ):
                with pytest.raises(BackendError):
                    backend.ensure(namespace=strange, spec=SPEC)
                with pytest.raises(BackendError):
                    backend.drop(namespace=strange)

    def test_namespaces_lists_what_holds_points(
        self, backend: VectorBackend, mine: Namespace, theirs: Namespace
    ) -> None:
        """Look at the listing: a verifier trusts it to say that nothing of a tenant is left."""
        fill(backend, mine, [100])
        assert len(set(backend.namespaces())) == 2
        backend.drop(namespace=mine)
        left = set(backend.namespaces())
        assert left in ({theirs.shard}, {theirs.tenant_tag})
