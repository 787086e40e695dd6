"""What the in-memory store remembers for tests."""

from __future__ import annotations

from securevec.testing.conformance_case import SPEC, a_namespace, a_point, an_id
from securevec.testing.memory import InMemoryBackend

PLACE = a_namespace("mine")


def test_everything_ever_written_is_remembered_also_after_a_drop() -> None:
    backend = InMemoryBackend()
    backend.ensure(namespace=PLACE, spec=SPEC)
    backend.insert(namespace=PLACE, points=[a_point(PLACE, 1, {"f_a": "Zürich"})])
    backend.insert(namespace=PLACE, points=[a_point(PLACE, 1, {"f_a": "Bern"})])
    backend.drop(namespace=PLACE)
    backend.close()
    first, second = backend.written
    assert "Zürich".encode() in first
    assert b"Bern" in second
    assert first[:16] == second[:16] == an_id(1).bytes
