"""P8, texts for a chat model: nothing is released that the list does not allow, that is no longer there, that is
another tenant's, or that was made up; and what is released is recorded without its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

import securevec as sv
from securevec.errors import (
    AuditUnavailable,
    ConfigError,
    ModelNotAllowed,
    PolicyDenied,
    RecordNotFound,
    TenantUnavailable,
    UsageError,
    VaultDisabled,
)
from securevec.filters import Expr
from securevec.policy import BuiltinPolicy, Decision, Request
from securevec.reading import releasing
from securevec.reading.judge import judge
from securevec.types import CollectionId
from tests.support.attacks import ACME_MARK, DAY_MS, Pair, Stage, open_stage, text
from tests.support.attacks_outage import FailingAudit
from tests.support.world import Ticket

CHAT = "gpt-5"


class Narrowed(BuiltinPolicy):
    """The built-in rules, which release what ``only`` matches."""

    only: Expr | None = None

    def decide(self, request: Request) -> Decision:
        decision = super().decide(request)
        return replace(decision, row_filter=self.only) if request.permission == "release" else decision


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path, "memory", policy=Narrowed()) as made:
        made.store.allow_model("hash", ["internal"], kind="embedder")
        yield made


@pytest.fixture
def pair(stage: Stage) -> Pair:
    return stage.pair().fill()


def found(pair: Pair, k: int = 3) -> sv.SearchResult[Ticket]:
    return pair.acme.search("refund", k=k)


def require_refused(stage: Stage, kind: type[Exception], call: Callable[[], object]) -> dict[str, Any]:
    """It raises, and the newest record of a release says so."""
    with pytest.raises(kind):
        call()
    record: dict[str, Any] = next(each for each in reversed(stage.audit(4)) if each["action"] == "release")
    assert record["outcome"] in ("denied", "failed")
    assert "characters" not in record.get("counts", {})
    return record


def test_what_is_released_is_worded_as_the_context_and_recorded_without_content(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    released = hits.for_model(CHAT, purpose="a-purpose-to-hide")
    assert released.prompt == hits.context()
    assert [each.id for each in released.texts] == [hit.id for hit in hits]
    assert "[EMAIL_1]" in released.prompt
    assert hits.restore("[EMAIL_1]") in {f"person{n}@example.com" for n in range(1, 9)}
    record = stage.audit(2)[0]
    assert (record["action"], record["outcome"], record["request_id"]) == ("release", "allowed", released.request_id)
    assert record["counts"] == {"hits": 3, "characters": sum(len(each.text) for each in released.texts)}
    assert record["detail"] == {"model": stage.store.runtime.names.model_token(CHAT), "revealed": False}
    searched = next(each for each in stage.audit(9) if each["action"] == "search")
    assert sorted(record["records"]) == sorted(searched["records"])
    assert record["purpose"] != searched["purpose"]
    log = b"".join(path.read_bytes() for path in (stage.home / "audit").rglob("*.jsonl"))
    assert not any(word in log for word in (b"a-purpose-to-hide", CHAT.encode(), b"refund", ACME_MARK.encode()))
    assert ACME_MARK not in repr(released) + repr(released.texts[0])


def test_without_a_list_a_release_is_recorded_and_no_model_refused(stage: Stage, pair: Pair) -> None:
    stage.store.clear_models()
    assert len(found(pair).for_model("whatever model", purpose="answer").texts) == 3
    assert stage.audit()[0]["action"] == "release"


def test_a_model_that_is_not_on_the_list_gets_no_text(stage: Stage, pair: Pair) -> None:
    record = require_refused(stage, ModelNotAllowed, lambda: found(pair).for_model(CHAT, purpose="answer"))
    assert (record["outcome"], record["error"]) == ("denied", "ModelNotAllowed")
    assert record["detail"]["model"] == stage.store.runtime.names.model_token(CHAT)


@pytest.mark.parametrize("name", ["GPT-5", "gpt\u20115", "gpt-5 ", "g\u0440t-5", "gpt-5-mini", "gpt"])
def test_a_name_that_is_nearly_the_same_gets_no_text(stage: Stage, pair: Pair, name: str) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    require_refused(stage, ModelNotAllowed, lambda: found(pair).for_model(name, purpose="answer"))


class Sly(str):
    """A text that says it equals whatever it is compared with."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return hash("gpt-5")


def test_a_text_that_claims_to_equal_every_name_gets_no_text(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat", provider="azure")
    hits = found(pair)
    with pytest.raises(UsageError):
        hits.for_model(Sly("evil"), purpose="answer", provider="azure")
    require_refused(stage, ModelNotAllowed, lambda: hits.for_model(CHAT, purpose="answer", provider=Sly("evil")))
    require_refused(stage, ModelNotAllowed, lambda: hits.for_model(CHAT, purpose="answer", provider=cast("str", None)))


def test_an_embedder_whose_name_claims_to_equal_every_other_receives_nothing(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model("hash", ["internal"], kind="embedder")
    embedder: Any = stage.store.runtime.embedder()
    embedder._identity = replace(embedder.identity, name=Sly("evil"))
    with pytest.raises(ModelNotAllowed):
        pair.acme.search("refund", k=1)


def test_an_embedders_permission_releases_no_text(stage: Stage, pair: Pair) -> None:
    require_refused(stage, ModelNotAllowed, lambda: found(pair).for_model("hash", purpose="answer"))


def test_another_tenants_or_classifications_permission_releases_no_text(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat", tenant="globex")
    require_refused(stage, ModelNotAllowed, lambda: found(pair).for_model(CHAT, purpose="answer"))
    stage.store.allow_model(CHAT, ["public", "restricted"], kind="chat", tenant="acme")
    require_refused(stage, ModelNotAllowed, lambda: found(pair).for_model(CHAT, purpose="answer"))
    assert pair.globex.search("refund", k=1).for_model(CHAT, purpose="answer").texts


def test_a_model_denied_since_the_search_gets_no_text(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    stage.store.deny_model(CHAT)
    require_refused(stage, ModelNotAllowed, lambda: hits.for_model(CHAT, purpose="answer"))


def test_a_model_denied_while_texts_are_read_gets_none(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    stage.trap.on_fetch = lambda: stage.store.deny_model(CHAT)
    with pytest.raises(ModelNotAllowed):
        hits.for_model(CHAT, purpose="answer")


def test_provider_and_region_of_the_list_must_be_named(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat", provider="azure", region="eu")
    hits = found(pair)
    for provider, region in (("", ""), ("azure", ""), ("", "eu"), ("azure", "us"), ("Azure", "eu")):
        call = partial(hits.for_model, CHAT, purpose="answer", provider=provider, region=region)
        require_refused(stage, ModelNotAllowed, call)
    assert hits.for_model(CHAT, purpose="answer", provider="azure", region="eu").texts


def test_originals_leave_only_for_a_model_that_may_have_them_and_an_actor_who_may_reveal(
    stage: Stage, pair: Pair
) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    require_refused(stage, ModelNotAllowed, lambda: hits.for_model(CHAT, purpose="answer", originals=True))
    assert "restore" not in {each["action"] for each in stage.audit(3)}, "opened before the list was asked"
    stage.store.allow_model(CHAT, ["internal"], kind="chat", originals=True)
    released = hits.for_model(CHAT, purpose="answer", originals=True)
    assert released.originals
    assert "@example.com" in released.prompt
    assert "[EMAIL" not in released.prompt
    assert [each["action"] for each in stage.audit(2)] == ["restore", "release"]
    assert stage.audit()[0]["detail"]["revealed"] is True
    reader = sv.Actor("svc:reader", purpose="answers")
    stage.acme.grant(reader, "reader")
    theirs = stage.store.tenant("acme", actor=reader).existing_collection(pair.name).search("refund", k=2)
    assert theirs.for_model(CHAT, purpose="answer").texts
    require_refused(stage, PolicyDenied, lambda: theirs.for_model(CHAT, purpose="answer", originals=True))


def test_a_collection_without_a_vault_releases_no_originals(stage: Stage) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat", originals=True)
    bare = stage.acme.collection(Ticket, name="bare", vault=False)
    bare.ingest([text(1, ACME_MARK)])
    hits = bare.search("refund", k=1)
    require_refused(stage, VaultDisabled, lambda: hits.for_model(CHAT, purpose="answer", originals=True))


def test_a_writer_releases_nothing(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    someone = sv.Actor("svc:someone", purpose="answers")
    stage.acme.grant(someone, "reader")
    hits = stage.store.tenant("acme", actor=someone).existing_collection(pair.name).search("refund", k=1)
    stage.acme.revoke(someone, "reader")
    stage.acme.grant(someone, "writer")
    require_refused(stage, PolicyDenied, lambda: hits.for_model(CHAT, purpose="answer"))


# -- hits that are not this result's, or no longer true ----------------------------------------------------------------


def test_hits_of_another_tenant_collection_or_search_are_refused(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits, other = found(pair), stage.pair().fill()
    for foreign in (pair.globex.search("refund", k=1), other.acme.search("refund", k=1), found(pair)):
        with pytest.raises(UsageError):
            hits.for_model(CHAT, purpose="answer", hits=list(foreign))
    with pytest.raises(UsageError):
        hits.for_model(CHAT, purpose="answer", hits=[replace(hits[0])])
    one = hits.for_model(CHAT, purpose="answer", hits=[hits[1]])
    assert [each.id for each in one.texts] == [hits[1].id]


@pytest.mark.parametrize("change", ["text", "id", "spans", "point"])
def test_a_forged_hit_inside_a_result_is_refused(stage: Stage, pair: Pair, change: str) -> None:
    """Who can change a result can change much; but what is released is what the collection holds, under its own id."""
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    theirs = pair.globex.search("refund", k=1)[0]
    forged: dict[str, Any] = {
        "text": theirs.text,
        "id": "T-900",
        "spans": (),
        "point": theirs.point,
    }
    hits._hits = (cast("Any", replace)(hits[0], **{change: forged[change]}),)
    require_refused(stage, RecordNotFound, lambda: hits.for_model(CHAT, purpose="answer"))


def test_another_tenants_hit_put_into_a_result_is_refused(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    hits._hits = pair.globex.search("refund", k=1)._hits
    require_refused(stage, RecordNotFound, lambda: hits.for_model(CHAT, purpose="answer"))


def test_a_record_that_is_gone_since_the_search_is_not_released(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    endings: dict[str, Callable[[sv.SearchResult[Ticket]], object]] = {
        "deleted": lambda hits: pair.acme.delete([hits[0].id]),
        "replaced": lambda hits: pair.acme.update(hits[0].id, body="another text"),
        "erased": lambda hits: stage.acme.erase_subject(f"customer{str(hits[0].id)[2:]}@example.com"),
        "expired": lambda hits: stage.time.forward(200 * DAY_MS),
    }
    for end in endings.values():
        hits = found(pair)
        assert hits.for_model(CHAT, purpose="answer").texts
        end(hits)
        require_refused(stage, RecordNotFound, partial(hits.for_model, CHAT, purpose="answer"))


@pytest.mark.parametrize("how", ["deleted", "erased", "replaced"])
def test_a_record_that_goes_while_it_is_read_is_not_released(
    stage: Stage, pair: Pair, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    number = str(hits[0].id)[2:]

    def meanwhile(*arguments: Any, **named: Any) -> Any:
        verdicts = judge(*arguments, **named)
        monkeypatch.setattr(releasing, "judge", judge)
        if how == "deleted":
            pair.acme.delete([hits[0].id])
        elif how == "replaced":
            pair.acme.update(hits[0].id, body="another text")
        else:
            # The manifest as it was before, so that what hides the record is the tombstone alone.
            monkeypatch.setattr(control, "live", as_before)
            stage.acme.erase_subject(f"customer{number}@example.com")
        return verdicts

    control = stage.store.runtime.control
    refs = [pair.acme._scope.record_ref(stage.store.runtime, hit.id) for hit in hits]
    live = control.live(pair.acme.id, refs)

    def as_before(collection: CollectionId, refs: Sequence[bytes]) -> dict[bytes, int]:
        return live

    monkeypatch.setattr(releasing, "judge", meanwhile)
    with pytest.raises(RecordNotFound):
        hits.for_model(CHAT, purpose="answer")


def test_a_tenant_suspended_while_texts_are_read_releases_none(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    stage.trap.on_fetch = lambda: stage.store.suspend_tenant("acme")
    with pytest.raises(TenantUnavailable):
        hits.for_model(CHAT, purpose="answer")


def test_a_row_filter_of_the_policy_holds_for_a_release(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair, k=8)
    policy = cast("Narrowed", stage.store.runtime.policy)
    policy.only = sv.F("status") == "open"
    require_refused(stage, RecordNotFound, lambda: hits.for_model(CHAT, purpose="answer"))
    allowed = [hit for hit in hits if hit.record.status == "open"]
    assert len(hits.for_model(CHAT, purpose="answer", hits=allowed).texts) == len(allowed) == 4


def test_a_suspended_tenant_releases_nothing(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits = found(pair)
    stage.store.suspend_tenant("acme")
    require_refused(stage, TenantUnavailable, lambda: hits.for_model(CHAT, purpose="answer"))


def test_no_text_without_its_record(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    hits, runtime = found(pair), stage.store.runtime
    # A release has one record; the first refused here is that of the release.
    working, runtime.audit = runtime.audit, FailingAudit(runtime.audit, 0)
    try:
        with pytest.raises(AuditUnavailable):
            hits.for_model(CHAT, purpose="answer")
    finally:
        runtime.audit = working


@pytest.mark.parametrize(("model", "purpose"), [("", "answer"), (CHAT, ""), (CHAT, "  "), (None, "answer"), (CHAT, 7)])
def test_a_release_names_model_and_purpose(stage: Stage, pair: Pair, model: Any, purpose: Any) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    with pytest.raises(UsageError):
        found(pair).for_model(model, purpose=purpose)


def test_a_purpose_too_long_to_record_releases_nothing(stage: Stage, pair: Pair) -> None:
    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    with pytest.raises(ConfigError):
        found(pair).for_model(CHAT, purpose="x" * 300)


def test_every_release_is_in_the_log_as_an_access_to_data(stage: Stage, pair: Pair) -> None:
    from securevec.audit import read_tail

    stage.store.allow_model(CHAT, ["internal"], kind="chat")
    found(pair).for_model(CHAT, purpose="answer")
    log = stage.store.runtime.installation_id
    (record,) = read_tail(stage.home / "audit", log_id=log, limit=1)
    said = orjson.loads(orjson.dumps(record))
    assert (said["class_uid"], said["activity_id"], said["metadata"]["event_code"]) == (6005, 1, "release")
