"""The nightly deletion: receipts that hold, holds that are kept, and the exit code of the worst."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

import securevec as sv
from securevec.testing.embedders import HashEmbedder
from tests.support.examples import example
from tests.support.world import Ticket, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)


@pytest.fixture(scope="module")
def job() -> ModuleType:
    return example("nightly_deletion", "delete_tenants")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A home with three tenants, one ticket each, the issuer's public key, and a list."""
    with _open(tmp_path) as store:
        for number, name in enumerate(("acme", "globex", "initech")):
            tenant = store.tenant(name, create=True, actor=sv.Actor.local())
            assert tenant.collection(Ticket).ingest([ticket(number, f"what {name} wrote")]).new == 1
        (tmp_path / "issuer.pem").write_bytes(store.runtime.keys.signing_key().public_pem())
    (tmp_path / "leavers.txt").write_text("acme  # left in May\n\n# nobody\nglobex\nacme\n", encoding="utf-8")
    return tmp_path


def _open(root: Path) -> sv.SecureStore:
    return sv.SecureStore.open(root / "home", key_file=root / "root.key", embedder=HashEmbedder())


def _run(job: ModuleType, root: Path, *, pubkey: str = "issuer.pem") -> int:
    code: int = job.main(
        [
            *(str(root / "leavers.txt"), "--home", str(root / "home"), "--key-file", str(root / "root.key")),
            *("--receipts", str(root / "receipts"), "--pubkey", str(root / pubkey)),
        ]
    )
    return code


def test_the_listed_tenants_go_with_receipts_and_the_others_stay(
    job: ModuleType, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(job, place) == 0
    assert len(list((place / "receipts").iterdir())) == 2
    with _open(place) as store:
        assert sorted(name for name, _ in store.tenants()) == ["initech"]
    said = capsys.readouterr()
    assert said.out.count("genuine") == 2
    assert "acme" not in said.out + said.err + "".join(path.name for path in (place / "receipts").iterdir())
    assert _run(job, place) == 0, "a second night finds nothing to do"


def test_a_tenant_under_a_legal_hold_stays_and_the_others_go(job: ModuleType, place: Path) -> None:
    with _open(place) as store:
        row = next(
            row.tenant
            for row in store.runtime.control.tenants()
            if row.tenant == store.tenant("acme", actor=sv.Actor.local())._scope.tenant
        )
        store.runtime.control.add_hold("0" * 32, row, None, None, b"sealed", 1_700_000_000_000)
    assert _run(job, place) == 3
    with _open(place) as store:
        assert sorted(name for name, _ in store.tenants()) == ["acme", "initech"]
    assert len(list((place / "receipts").iterdir())) == 1


def test_another_issuer_s_key_makes_it_a_failure(job: ModuleType, place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with _open(other) as store:
        (place / "other.pem").write_bytes(store.runtime.keys.signing_key().public_pem())
    assert _run(job, place, pubkey="other.pem") == sv.errors.ReceiptInvalid.exit_code == 1


def test_a_changed_receipt_does_not_hold(job: ModuleType, place: Path) -> None:
    assert _run(job, place) == 0
    receipt = next((place / "receipts").iterdir())
    envelope = json.loads(receipt.read_bytes())
    envelope["payload"] = envelope["payload"][:-8] + "AAAA" + envelope["payload"][-4:]
    receipt.write_text(json.dumps(envelope), encoding="utf-8")
    with _open(place) as store:
        public = store.runtime.keys.signing_key().public
    assert job.check(receipt, public) == 1


def test_while_a_service_holds_the_engine_the_keys_go_at_once_and_the_job_says_five(
    job: ModuleType, place: Path
) -> None:
    with _open(place) as service:
        tickets = service.tenant("acme", actor=sv.Actor.local()).collection(Ticket)
        assert tickets.search("what acme wrote", k=1)
        assert _run(job, place) == 5
        with pytest.raises(sv.errors.Refused):
            tickets.search("what acme wrote", k=1)
        service.run_jobs()
    assert _run(job, place) == 0


def test_a_list_or_key_that_is_not_there_is_a_mistake_of_the_caller(job: ModuleType, place: Path) -> None:
    assert _run(job, place, pubkey="absent.pem") == 2
    assert _run(job, place, pubkey="leavers.txt") == 2
    (place / "leavers.txt").unlink()
    assert _run(job, place) == 2
