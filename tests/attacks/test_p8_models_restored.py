"""P8, the list of models in a restored home: what was denied since the backup stays denied, and what a restore embeds
anew is embedded by a model that may receive it now."""

from __future__ import annotations

from pathlib import Path

import pytest

import securevec as sv
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup
from securevec.errors import ModelNotAllowed
from tests.support.models import CountingEmbedder
from tests.support.world import ACME, Ticket, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

JANE = "jane.doe@example.com"


class Past:
    """A home with a backup of when both models were allowed; since then a person was erased and a model denied."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.key_file = root, root / "home", root / "root.key"
        self.backup, self.ledger = root / "backup", root / "later"
        with self.open(self.home, CountingEmbedder()) as store:
            tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
            store.allow_model("hash", ["internal"], kind="embedder")
            store.allow_model("gpt-5", ["internal"], kind="chat")
            tickets.ingest([ticket(1, "A refund."), ticket(2, f"Ask {JANE} about the lift.")])
            create_backup(store, self.backup)
            store.tenant("acme", actor=ACME).erase_subject(JANE).raise_if_incomplete()
            store.deny_model("gpt-5")
            export_tombstones(store, self.ledger, since=self.backup)

    def open(self, home: Path, embedder: CountingEmbedder) -> sv.SecureStore:
        return sv.SecureStore.open(home, backend="edge", key_file=self.key_file, embedder=embedder)

    def restored(self, newer: Newer, embedder: CountingEmbedder, name: str) -> sv.SecureStore:
        restore_backup(self.backup, self.root / name, newer=newer, key_file=self.key_file, embedder=embedder)
        return self.open(self.root / name, embedder)


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path)


def allowed_chat(store: sv.SecureStore) -> bool:
    return store.check_model("gpt-5", tenant="acme", collection="ticket").allowed


@pytest.mark.parametrize("known_from", ["home", "list of deletions"])
def test_a_model_denied_since_the_backup_is_denied_in_the_restored_home(past: Past, known_from: str) -> None:
    newer = Newer(current=past.home) if known_from == "home" else Newer(tombstones=past.ledger)
    embedder = CountingEmbedder()
    with past.restored(newer, embedder, "again") as store:
        assert embedder.received > 0, "what was left of the record that mentions her was embedded"
        assert not allowed_chat(store)
        hits = store.tenant("acme").collection(Ticket).search("refund", k=1)
        with pytest.raises(ModelNotAllowed):
            hits.for_model("gpt-5", purpose="answer")


def test_with_nothing_newer_the_list_is_the_backups(past: Past) -> None:
    with past.restored(Newer(nothing=True), CountingEmbedder(), "alone") as store:
        assert allowed_chat(store)


def test_a_restore_hands_no_text_to_an_embedder_that_was_denied_since(past: Past) -> None:
    with past.open(past.home, CountingEmbedder()) as store:
        store.deny_model("hash")
    embedder = CountingEmbedder()
    with pytest.raises(ModelNotAllowed):
        past.restored(Newer(current=past.home), embedder, "refused")
    assert embedder.received == 0
    with past.open(past.home, CountingEmbedder()) as store:
        store.allow_model("hash", ["internal"], kind="embedder")
    with past.restored(Newer(current=past.home), embedder, "allowed") as store:
        assert not allowed_chat(store)
