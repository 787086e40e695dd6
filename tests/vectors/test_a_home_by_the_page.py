"""A home with its backup, its receipt and its list of deletions is read by what docs/formats.md says, and nothing else:
where the page is not enough for that, or says something else than is written, this fails."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest

import securevec as sv
from securevec.backup import create_backup, export_tombstones
from securevec.rekeying import rewriting
from securevec.testing.embedders import HashEmbedder
from tests.vectors import independent as page
from tests.vectors import whole_home
from tests.vectors.whole_home import Home, text_of

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"
LONG = "The parking garage was full. " * 60
FILLER = "Zażółć gęślą jaźń, and the lift is out of order."


class Letter(sv.Record):
    id: sv.Key[str]
    customer: Annotated[str, sv.marks.Subject(shred=True)]
    body: sv.Embed[str]
    notes: sv.Seal[str | None] = None
    status: sv.Filter[str]
    plan: Annotated[str, sv.marks.Filter(mode="token")]
    visits: Annotated[int, sv.marks.Filter(mode="bucket", width=10)]
    tags: sv.Filter[list[str]]


ROWS: list[dict[str, Any]] = [
    {
        "id": f"L-{n}",
        "customer": f"c{n}@example.com",
        "body": f"Please ring c{n}@example.com. {LONG if n == 2 else FILLER}",
        "notes": None if n == 2 else "ünï",
        "status": "open",
        "plan": "gold",
        "visits": 25,
        "tags": ["a", "b"],
    }
    for n in range(3)
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("by-the-page")
    place, key = base / "home", base / "root.key"
    with sv.SecureStore.open(place, backend="chroma", key_file=key, embedder=HashEmbedder()) as store:
        tenant = store.tenant("acme", create=True, actor=sv.Actor("svc:letters", purpose="support"))
        letters = tenant.collection(Letter, name="letters", retention="180d")
        assert letters.ingest(ROWS).new == len(ROWS)
        assert letters.search("lift out of order", k=10)
        create_backup(store, base / "backup")
        tenant.erase_subject("c1@example.com").save(base / "receipt.json")
        export_tombstones(store, base / "deleted", since=base / "backup")
    return base


@pytest.fixture(scope="module")
def home(made: Path) -> Home:
    return Home(made / "home", made / "root.key", FORMATS.read_text(encoding="utf-8"))


class Place:
    """The one tenant and collection of the home."""

    def __init__(self, home: Home) -> None:
        ((tenant, self.tenant_token, self.tenant_sealed),) = home.control(
            "SELECT tenant, name_token, name_sealed FROM tenant"
        )
        ((collection, self.token, self.sealed, self.description, self.shard, self.identity),) = home.control(
            "SELECT collection, name_token, name_sealed, schema_sealed, shard, identity FROM collection"
        )
        self.tenant, self.collection = bytes.fromhex(tenant), bytes.fromhex(collection)


@pytest.fixture(scope="module")
def place(home: Home) -> Place:
    return Place(home)


def test_names_and_descriptions_are_read_from_the_control_store(home: Home, place: Place) -> None:
    names = home.key("installation", "names")
    assert home.name(place.tenant_sealed, place.tenant, "tenant-name") == "acme"
    assert page.tenant_name_token(names, "acme") == place.tenant_token
    assert home.name(place.sealed, place.collection, "collection-name") == "letters"
    assert page.collection_name_token(names, place.tenant, "letters") == place.token
    described = json.loads(home.name(place.description, place.collection, "collection-description"))
    assert set(described) == {"v", "schema", "operators", "classification"}
    said = {name: value for name, value in described["schema"].items() if name != "name"}
    assert hashlib.sha256(_json(said)).hexdigest() == json.loads(place.identity)["schema"]
    assert page.shard(home.key("installation", "namespaces"), place.tenant, place.collection).hex() == place.shard


def test_sealed_points_are_opened_and_say_what_was_given(home: Home, place: Place) -> None:
    ids = home.key("tenant", "id", place.tenant)
    read: dict[str, dict[int, Any]] = {}
    for point, (sealed, vault, clear) in home.points(place.shard).items():
        body = home.opened(sealed, place.tenant, place.collection, point, "body")
        version, record, generation, chunk = body[:4]
        assert (version, len(body)) == (3, 18)
        ref = page.record_ref(ids, place.collection, b"s" + record.encode())
        assert page.point_id(ids, place.collection, ref, generation, chunk) == point
        originals = home.opened(vault, place.tenant, place.collection, point, "vault") if vault else None
        read.setdefault(record, {})[chunk] = (body, originals, clear)
    assert {record: len(chunks) for record, chunks in read.items()} == {"L-0": 1, "L-2": 2}
    for given in (ROWS[0], ROWS[2]):
        chunks = read[given["id"]]
        body, (vault_version, originals, _), _ = chunks[0]
        assert vault_version == 2
        restored = {name: text_of(value) for name, value in body[13].items()}
        for name, spans in body[14].items():
            entities = [home.word(span[2]) for span in spans]
            assert entities == ["EMAIL"]
            assert all(home.word(span[4]) == "surrogate" for span in spans)
            for (start, end, *_), original in reversed(list(zip(spans, originals[name], strict=True))):
                restored[name] = restored[name][:start] + original + restored[name][end:]
        kept = {name: given[name] for name in ("customer", "body", "notes") if given[name] is not None}
        assert restored == kept
        assert body[8] == {name: given[name] for name in ("status", "plan", "visits", "tags")}
        token = page.subject_token(home.key("tenant", "token", place.tenant), "EMAIL", given["customer"])
        assert body[9] == token
        # The rest of a text that is cut stands in the other chunk.
        if len(chunks) == 2:
            assert text_of(chunks[1][0][15]) in text_of(body[13]["body"])


def test_what_the_store_sees_is_derived_as_the_page_says(home: Home, place: Place) -> None:
    key = home.key("tenant", "filter", place.tenant, place.collection, "1")
    wanted: dict[str, Any] = {
        "f_status": "open",
        "f_plan": page.filter_token(key, place.collection, "plan", "s", b"gold").hex(),
        "f_visits": page.filter_token(key, place.collection, "visits/bucket/10", "i", b"2").hex(),
        "f_tags": 2,
    }
    wanted |= {f"fe_{page.filter_token(key, place.collection, 'tags', 's', tag).hex()}": True for tag in (b"a", b"b")}
    for _, _, clear in home.points(place.shard).values():
        assert {name: value for name, value in clear.items() if name != "x"} == wanted


def test_the_digest_of_a_record_is_that_of_the_page(home: Home, place: Place) -> None:
    identity = _json({name: value for name, value in json.loads(place.identity).items() if name != "cloak"})
    identity_digest = page.prefixed(identity) + page.prefixed(str(180 * 86_400_000).encode())
    canonical = _json({name: value for name, value in ROWS[0].items() if value is not None})
    content = home.key("tenant", "content", place.tenant)
    ref = page.record_ref(home.key("tenant", "id", place.tenant), place.collection, b"sL-0")
    stored = home.control("SELECT content_digest FROM manifest WHERE ref = ?", ref)
    assert stored == [(page.content_digest(content, place.collection, canonical, identity_digest),)]


def test_the_log_holds_what_its_heads_say_and_names_nobody(home: Home, place: Place, made: Path) -> None:
    installation, signer = home.installation["installation_id"], home.signer()
    log = made / "home" / "audit" / installation
    heads = whole_home.log_lines(log / "log-of-writers", f"securevec/{installation}/log-of-writers", signer)
    ((announced,),) = home.control("SELECT size FROM audit_next")
    assert announced == len(heads) > 3
    (writer,) = log.glob("w-*")
    lines = whole_home.log_lines(writer, f"securevec/{installation}/{writer.name}", signer)
    ended = json.loads(heads[-1])
    assert (ended["event"], ended["writer"], ended["size"]) == ("closed", writer.name, len(lines))
    assert base64.b64decode(ended["root"]) == whole_home.tree_root(lines)
    before = ""
    for number, line in enumerate(lines):
        record = json.loads(line)
        assert record["metadata"]["sequence"] == number
        assert record["unmapped"]["securevec"]["prev"] == before
        before = hashlib.sha256(b"\0" + line).hexdigest()[:16]
    search = next(record for record in map(json.loads, lines) if record["metadata"]["event_code"] == "search")
    audit, actors = home.key("tenant", "audit", place.tenant), home.key("installation", "actors")
    ref = page.record_ref(home.key("tenant", "id", place.tenant), place.collection, b"sL-0")
    assert search["class_uid"] == 6005
    assert whole_home.reference(audit, "record", ref) in search["unmapped"]["securevec"]["records"]
    asked = f"hmac-sha256:{place.tenant.hex()}:{whole_home.reference(audit, 'query', b'lift out of order')}"
    assert search["query_info"]["query_string"] == asked
    assert search["actor"]["user"]["uid"].endswith(whole_home.reference(actors, "actor", b"svc:letters"))
    assert search["unmapped"]["securevec"]["purpose"].endswith(whole_home.reference(actors, "purpose", b"support"))


def test_the_receipt_is_signed_and_stands_in_the_log(home: Home, place: Place, made: Path) -> None:
    statement = whole_home.statement_of(json.loads((made / "receipt.json").read_text()), home.signer())
    said = statement["predicate"]
    token = page.subject_token(home.key("tenant", "token", place.tenant), "EMAIL", "c1@example.com")
    erased = whole_home.reference(home.key("tenant", "audit", place.tenant), "subject", token)
    assert said["subjects"] == [f"hmac-sha256:{place.tenant.hex()}:{erased}"]
    named = said["audit"]
    log = made / "home" / "audit" / named["log"] / named["writer"]
    lines = whole_home.log_lines(log, f"securevec/{named['log']}/{named['writer']}", home.signer())
    recorded = json.loads(lines[named["index"]])["unmapped"]["securevec"]["detail"]["receipt"]
    assert recorded == whole_home.digest_of(statement)


def test_a_backup_and_a_list_of_deletions_are_read_and_their_files_are_there(
    home: Home, place: Place, made: Path
) -> None:
    name, backup = f"securevec/{home.installation['installation_id']}/backup", made / "backup"
    notes = {(backup / part / "MANIFEST").read_bytes() for part in ("data", "control", "keys")}
    (note,) = notes
    manifest = json.loads(whole_home.note_text(note, name, home.signer()))
    assert manifest["counts"] == {"tenants": 1, "collections": 1, "records": len(ROWS)}
    held = list(whole_home.files_of(backup, manifest["parts"]))
    assert all(held)
    assert len(held) > 5
    deleted = json.loads(whole_home.note_text((made / "deleted").read_bytes(), name, home.signer()))
    assert (deleted["kind"], deleted["backup"]) == ("tombstones", manifest["backup"])
    token = page.subject_token(home.key("tenant", "token", place.tenant), "EMAIL", "c1@example.com")
    assert [entry[:2] for entry in deleted["tombstones"]] == [[place.tenant.hex(), token.hex()]]
    gone = page.record_ref(home.key("tenant", "id", place.tenant), place.collection, b"sL-1")
    assert deleted["gone"] == {place.collection.hex(): [gone.hex()]}
    page_names = FORMATS.read_text(encoding="utf-8").partition("**List of deletions**")[2]
    assert [key for key in deleted if f'"{key}"' not in page_names] == []


def test_every_kind_of_receipt_is_on_the_page() -> None:
    (said,) = [line for line in FORMATS.read_text(encoding="utf-8").splitlines() if line.startswith("`kind` is ")]
    kinds = {action.removeprefix("key.") for action in get_args(rewriting.Action)}
    assert [kind for kind in kinds | {"tenant", "subject", "retention", "move"} if f"`{kind}`" not in said] == []


def _json(value: object) -> bytes:
    """JSON as the page's conventions say."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
