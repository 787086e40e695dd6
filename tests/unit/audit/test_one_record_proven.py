"""A proof of one audit record holds under the key in force, shows no other record, and nothing that was changed in it
passes for proven."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from securevec.audit import AuditWriter, prove, request_id, verify_proof
from securevec.audit.checkpoint import sign_note
from securevec.audit.tree import leaf_hash
from securevec.audit.writers import NAME, origin_of
from securevec.clock import Clock
from securevec.errors import AuditTampered, AuditUnavailable, UsageError
from tests.unit.audit.logkit import LOG_ID, Log, event, requests_of, signing_key

OLD, NEW = signing_key("old"), signing_key("new")


def proofs(log: Log, name: str) -> list[bytes]:
    return prove(log.directory, log_id=LOG_ID, public_key=log.key.public, name=name)


def by_length(log: Log) -> list[Path]:
    """The writers: ids of one millisecond are in any order."""
    return sorted(log.writers(), key=lambda writer: len(log.lines(writer)))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Three writers of 1, 6 and 11 records; the second wrote an intent and its result."""
    log = Log(tmp_path)
    for number in (1, 4, 11):
        with log.open() as writer:
            for _ in range(number):
                writer.record(event())
            if number == 4:
                request = request_id()
                writer.record(event(phase="intent", request_id=request))
                writer.record(event(phase="result", request_id=request))
    return log


def test_every_record_of_every_writer_is_proven_and_none_but_it_is_shown(log: Log) -> None:
    for writer in log.writers():
        lines = log.lines(writer)
        for index, line in enumerate(lines):
            (proof,) = proofs(log, f"{writer.name}/{index}")
            proven = verify_proof(proof, public_key=log.key.public)
            assert (proven.log_id, proven.writer, proven.index) == (LOG_ID, writer.name, index)
            assert proven.record == orjson.loads(line)
            assert proven.head.size == 6, "opened and closed of each writer"
            assert sum(other[:-1] in orjson.loads(proof)["record"].encode() for other in lines) == 1
            assert not any(request in proof.decode() for request in requests_of(lines) if request not in line.decode())


def test_a_request_is_proven_in_each_of_its_phases(log: Log) -> None:
    request = requests_of(log.lines(by_length(log)[1]))[-1]
    found = [verify_proof(proof, public_key=log.key.public) for proof in proofs(log, request)]
    assert [each.index for each in found] == [4, 5]
    with (by_length(log)[1] / "seg-00000000.jsonl").open("ab") as segment:
        segment.write(f'{{"request_id":"{request}","phase'.encode())  # a line that was not finished is no record
    assert len(proofs(log, request)) == 2


def _other(path: list[str]) -> list[str]:
    return [base64.b64encode(bytes(32)).decode(), *path[1:]]


CHANGES: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "record edited": lambda it, _: it | {"record": it["record"].replace('"hits":5', '"hits":6')},
    "another record": lambda it, other: it | {"record": other["record"]},
    "of another writer": lambda it, other: it | {"record": other["record"], "path": other["path"]},
    "a hash": lambda it, _: it | {"path": _other(it["path"])},
    "path turned round": lambda it, _: it | {"path": it["path"][::-1]},
    "path cut": lambda it, _: it | {"path": it["path"][1:]},
    "path longer": lambda it, _: it | {"path": [*it["path"], it["path"][0]]},
    "path of numbers": lambda it, _: it | {"path": [5]},
    "no path": lambda it, _: it | {"path": None},
    "standing": lambda it, _: it | {"standing": it["standing"].replace('"size":6', '"size":7')},
    "standing of another writer": lambda it, other: it | {"standing": other["standing"]},
    "standing of nobody": lambda it, _: it | {"standing": "{}"},
    "place": lambda it, _: it | {"place": it["place"] + 1},
    "place below": lambda it, _: it | {"place": -1},
    "place beyond": lambda it, _: it | {"place": 10**9},
    "head": lambda it, _: it | {"head": it["head"].replace("\n6\n", "\n7\n")},
    "head of another log": lambda it, _: it | {"head": it["head"].replace(LOG_ID, "00" * 16)},
    "no head": lambda it, _: it | {"head": ""},
    "more": lambda it, _: it | {"more": 1},
    "less": lambda it, _: {key: it[key] for key in it if key != "place"},
    "of a later form": lambda it, _: it | {"v": 2},
    "a list": lambda it, _: [it],
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_that_was_changed_passes_for_proven(log: Log, change: str) -> None:
    (proof,) = proofs(log, f"{by_length(log)[1].name}/4")
    (other,) = proofs(log, f"{by_length(log)[2].name}/4")
    changed = orjson.dumps(CHANGES[change](orjson.loads(proof), orjson.loads(other)))
    assert changed != proof
    with pytest.raises(AuditTampered):
        verify_proof(changed, public_key=log.key.public)
    assert verify_proof(proof, public_key=log.key.public).index == 4


def _signed(record: dict[str, Any], standing: dict[str, Any]) -> bytes:
    """What the holder of the key can have signed: a log of writers of one line, and a writer of one record."""
    line = orjson.dumps(record)
    said = orjson.dumps(standing | {"root": base64.b64encode(leaf_hash(line)).decode()} if standing else {})
    return orjson.dumps(
        {
            "v": 1,
            "kind": "securevec.audit.proof",
            "record": line.decode(),
            "path": [],
            "standing": said.decode(),
            "place": 0,
            "standing_path": [],
            "head": sign_note(origin_of(LOG_ID, NAME), 1, leaf_hash(said), NEW).decode(),
        }
    )


def _record(log_name: str, sequence: object) -> dict[str, Any]:
    metadata = {"log_name": log_name, "sequence": sequence}
    return {"metadata": metadata, "unmapped": {"securevec": {"prev": ""}}}


def test_what_is_signed_and_is_no_record_of_that_place_is_not_proven() -> None:
    writer = "w-01M8F64S0N4X9GBVN03ZZMW9R3"
    standing = {"event": "head", "size": 1, "time": 1, "v": 1, "writer": writer}
    sound = _signed(_record(f"audit/{LOG_ID}/{writer}", 0), standing)
    assert verify_proof(sound, public_key=NEW.public).writer == writer
    for proof in (
        _signed(_record(f"audit/{LOG_ID}/w-other", 0), standing),
        _signed(_record(f"audit/{'00' * 16}/{writer}", 0), standing),
        _signed(_record(f"audit/{LOG_ID}/{writer}", False), standing),
        _signed(_record(f"audit/{LOG_ID}/{writer}", 1), standing),
        _signed({}, standing),
        _signed(_record(f"audit/{LOG_ID}/{writer}", 0), {}),
        orjson.dumps(orjson.loads(sound) | {"place": False}),
    ):
        with pytest.raises(AuditTampered):
            verify_proof(proof, public_key=NEW.public)


@pytest.mark.parametrize("proof", [b"", b"{", b"\xff"])
def test_what_is_no_proof_is_refused(log: Log, proof: bytes) -> None:
    with pytest.raises(AuditTampered, match="cannot be read"):
        verify_proof(proof, public_key=log.key.public)


def test_a_proof_of_a_head_that_somebody_else_signed_is_refused(log: Log) -> None:
    (proof,) = proofs(log, f"{by_length(log)[0].name}/0")
    with pytest.raises(AuditTampered, match="not signed"):
        verify_proof(proof, public_key=signing_key("stranger").public)


def test_a_record_that_was_edited_is_not_proven(log: Log) -> None:
    writer = by_length(log)[1]
    segment = writer / "seg-00000000.jsonl"
    segment.write_bytes(segment.read_bytes().replace(b'"hits":5', b'"hits":6', 1))
    for index in (0, 3):  # neither the edited one nor, by a tree that has it, another
        with pytest.raises(AuditTampered, match="does not lead"):
            proofs(log, f"{writer.name}/{index}")
    lines = log.lines(writer)
    segment.write_bytes(b"".join(lines[:3]))
    with pytest.raises(AuditTampered, match="not what its heads say"):
        proofs(log, f"{writer.name}/0")


def test_a_record_that_no_head_covers_is_not_proven_before_one_does(log: Log) -> None:
    with log.open() as writer:
        writer.record(event())
        name = f"{writer.writer}/0"
        with pytest.raises(AuditUnavailable, match="No signed head"):
            proofs(log, name)
        writer.checkpoint()
        assert len(proofs(log, name)) == 1


@pytest.mark.parametrize("name", ["w-01M8F64S0N4X9GBVN03ZZMW9R3/0", "01M8F64S0J33ZKPR3REYSTCN52", "../x", "w-x/0", ""])
def test_a_record_that_is_not_there_is_no_proof_of_nothing(log: Log, name: str) -> None:
    with pytest.raises(UsageError):
        proofs(log, name)
    with pytest.raises(UsageError, match="no record"):
        proofs(log, f"{by_length(log)[0].name}/1")


class Ring:
    """Both keys, as a key ring holds them."""

    def in_force(self, public: bytes | None) -> Any:
        return NEW if public == NEW.public else OLD


def test_behind_an_exchange_of_the_signing_key_a_proof_is_made_again(tmp_path: Path) -> None:
    """Whoever has a copy of a key that was given up could have written another history with it."""
    with AuditWriter.open(tmp_path, log_id=LOG_ID, signing_key=Ring(), clock=Clock()) as writer:
        writer.record(event())
        writer.checkpoint()
        name = f"{writer.writer}/0"
        (before,) = prove(tmp_path, log_id=LOG_ID, public_key=OLD.public, name=name)
        writer.exchange_key(NEW, compromised=True)
        writer.record(event())
        writer.checkpoint()
    with pytest.raises(AuditTampered, match="not signed") as refused:
        verify_proof(before, public_key=NEW.public)
    assert "made again" in refused.value.next_step
    (again,) = prove(tmp_path, log_id=LOG_ID, public_key=NEW.public, name=name)
    assert verify_proof(again, public_key=NEW.public).record == verify_proof(before, public_key=OLD.public).record
