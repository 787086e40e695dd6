"""Each verb asks the policy for a permission of its own before it does anything, and a refusal is recorded under the
verb's own action: the built-in rules give several of them together, an engine of somebody's own need not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from securevec.backup import create_backup, export_tombstones
from securevec.errors import AuditUnavailable, ControlUnavailable, PolicyDenied, SecurevecError
from securevec.policy import BuiltinPolicy, Decision, Request
from tests.support.attacks import Pair, Stage, open_stage
from tests.support.attacks_outage import FailingAudit
from tests.support.world import ticket

NO_ID, NO_DIGEST = "0" * 32, "0" * 64


@dataclass
class Porter(BuiltinPolicy):
    """Permits nothing once it is ``closed``, and remembers what it was asked for."""

    closed: bool = False
    asked: list[str] = field(default_factory=list[str])

    def decide(self, request: Request) -> Decision:
        self.asked.append(request.permission)
        return Decision(False, "default-deny") if self.closed else super().decide(request)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, Porter]]:
    porter = Porter()
    with open_stage(tmp_path_factory.mktemp("guarded"), "memory", policy=porter) as stage:
        pair = stage.pair()
        pair.acme.ingest([ticket(1, "lantern of jane.doe@example.com"), ticket(2, "a lamp"), ticket(3, "a candle")])
        create_backup(stage.store, tmp_path_factory.mktemp("copies") / "backup")
        yield pair, porter


def verbs(pair: Pair, files: Path) -> dict[str, tuple[Callable[[], object], str, str]]:
    """Verb to a call of it, the permission, and the action in the log."""
    stage: Stage = pair.stage
    store, tenant, place = stage.store, stage.acme, pair.name
    return {
        "allow_model": (lambda: store.allow_model("gpt-5", ["internal"], kind="chat"), "tenant.manage", "model.rule"),
        "deny_model": (lambda: store.deny_model("gpt-5"), "tenant.manage", "model.rule"),
        "clear_models": (lambda: store.clear_models(), "tenant.manage", "model.rule"),
        "models": (lambda: store.models(), "tenant.manage", "model.rule"),
        "check_model": (
            lambda: store.check_model("gpt-5", tenant="acme", collection=place),
            "tenant.manage",
            "model.rule",
        ),
        "set_retention": (lambda: store.set_retention(tenant="globex", max_age="30d"), "retention", "retention.rule"),
        "remove_retention": (lambda: store.remove_retention(tenant="acme"), "retention", "retention.rule"),
        "retention_rules": (lambda: store.retention_rules(), "retention", "retention.rule"),
        "retention_plan": (lambda: store.retention_plan(tenant="acme"), "retention", "retention.plan"),
        "apply_retention": (lambda: store.apply_retention(NO_DIGEST), "retention", "retention.apply"),
        "cancel_job": (lambda: store.cancel_job(NO_ID), "retention", "job.advance"),
        "delete_tenant": (lambda: store.delete_tenant("globex"), "tenant.delete", "tenant.delete"),
        "suspend_tenant": (lambda: store.suspend_tenant("acme"), "tenant.manage", "tenant.suspend"),
        "resume_tenant": (lambda: store.resume_tenant("acme"), "tenant.manage", "tenant.resume"),
        "promote_tenant": (lambda: store.promote_tenant("acme", to="collection"), "tenant.manage", "tenant.promote"),
        "roll_keys": (lambda: store.roll_keys("acme", place), "tenant.manage", "key.rotate"),
        "reseal": (lambda: store.reseal("acme", place), "tenant.manage", "key.reseal"),
        "reindex": (lambda: store.reindex("acme", place), "tenant.manage", "key.reindex"),
        "recloak": (lambda: store.recloak("acme", place), "tenant.manage", "key.recloak"),
        "renew_tokens": (lambda: store.renew_tokens("acme"), "tenant.manage", "key.renew"),
        "renew_surrogates": (lambda: store.renew_surrogates("acme"), "tenant.manage", "key.resurrogate"),
        "create_backup": (lambda: create_backup(store, files / "another"), "tenant.manage", "backup.create"),
        "export_tombstones": (
            lambda: export_tombstones(store, files / "later", since=files / "backup"),
            "tenant.manage",
            "backup.tombstones",
        ),
        "hold": (lambda: tenant.hold("case 1"), "hold", "hold"),
        "holds": (lambda: tenant.holds(), "hold", "hold"),
        "hold_reason": (lambda: tenant.hold_reason(NO_ID), "hold", "hold"),
        "release": (lambda: tenant.release(NO_ID), "hold.release", "hold.release"),
        "purge": (lambda: tenant.purge(), "delete", "purge"),
        "grant": (lambda: tenant.grant(stage.globex._scope.actor, "reader"), "grant", "grant"),
        "revoke": (lambda: tenant.revoke(stage.globex._scope.actor, "reader"), "grant", "grant"),
        "find_subject": (lambda: tenant.find_subject("jane.doe@example.com"), "subject.find", "subject.find"),
        "export_subject": (lambda: tenant.export_subject("jane.doe@example.com"), "subject.export", "subject.export"),
        "export_subject, revealing": (
            lambda: tenant.export_subject("jane.doe@example.com", reveal=True),
            "reveal",
            "restore",
        ),
        "erase_subject": (lambda: tenant.erase_subject("jane.doe@example.com"), "subject.erase", "subject.erase"),
        "delete": (lambda: pair.acme.delete("T-1"), "delete", "delete"),
    }


def test_every_verb_asks_for_its_own_permission_first_and_its_refusal_is_recorded(
    guarded: tuple[Pair, Porter], tmp_path: Path
) -> None:
    pair, porter = guarded
    before, porter.closed = _state(pair), True
    said: dict[str, tuple[str, ...]] = {}
    wanted: dict[str, tuple[str, ...]] = {}
    for name, (call, permission, action) in verbs(pair, tmp_path).items():
        porter.asked.clear()
        with pytest.raises(PolicyDenied):
            call()
        [last] = pair.stage.audit()
        said[name] = (*porter.asked, last["action"], last["outcome"])
        wanted[name] = (permission, action, "denied")
    porter.closed = False
    assert said == wanted
    assert _state(pair) == before


def _state(pair: Pair) -> dict[str, object]:
    """What the verbs would change."""
    runtime = pair.stage.store.runtime
    control, tenant = runtime.control, pair.stage.acme.id
    return {
        "tenants": control.tenants(),
        "grants": control.grants(tenant),
        "holds": control.holds(tenant),
        "rules": control.retention_rules(),
        "models": control.model_list(),
        "jobs": control.jobs(),
        "erased": control.tombstones(),
        "records": control.count_live(pair.acme.id, now_ms=0),
        "keys": (runtime.keys.changes(), runtime.keys.models_seen(), control.token_version(tenant)),
    }


LOGGED_FIRST = (
    *("allow_model", "deny_model", "clear_models", "set_retention", "remove_retention", "suspend_tenant", "roll_keys"),
    *("reseal", "reindex", "renew_tokens", "renew_surrogates", "create_backup", "export_tombstones", "hold", "release"),
    *("grant", "revoke", "erase_subject", "delete", "delete_tenant"),
)


def test_no_verb_changes_anything_before_it_is_in_the_log_that_it_is_going_to(
    guarded: tuple[Pair, Porter], tmp_path: Path
) -> None:
    pair, _ = guarded
    stage, runtime = pair.stage, pair.stage.store.runtime
    stage.store.set_retention(tenant="acme", max_age="60d")
    stage.acme.grant(stage.globex._scope.actor, "writer")
    create_backup(stage.store, tmp_path / "backup")
    held = stage.acme.hold("case 2", collection=pair.name, record="T-2").id
    table = verbs(pair, tmp_path) | {"release": (lambda: stage.store.tenant("acme").release(held), "", "")}
    before, working = _state(pair), runtime.audit
    for name in LOGGED_FIRST:
        runtime.audit = FailingAudit(working, 0)
        try:
            with pytest.raises(AuditUnavailable):
                table[name][0]()
        finally:
            runtime.audit = working
        assert _state(pair) == before, name
    assert {path.name for path in tmp_path.iterdir()} == {"backup"}


def test_what_a_verb_refuses_or_fails_at_is_in_the_log_under_its_action(
    guarded: tuple[Pair, Porter], tmp_path: Path
) -> None:
    pair, _ = guarded
    store, tenant, place = pair.stage.store, pair.stage.acme, pair.name
    released = tenant.hold("case 3", collection=place, record="T-3").id
    store.tenant("acme").release(released)
    store.set_retention(tenant="globex", max_age="60d")
    failing: list[tuple[Callable[[], object], str, str, str]] = [
        (lambda: tenant.hold(" "), "hold", "single", "failed"),
        (lambda: tenant.hold("case", subject="nobody@example.com"), "hold", "result", "failed"),
        (lambda: tenant.hold_reason(NO_ID), "hold", "single", "failed"),
        (lambda: store.tenant("acme").release(NO_ID), "hold.release", "single", "failed"),
        (lambda: store.tenant("acme").release(released), "hold.release", "result", "failed"),
        (lambda: store.set_retention(tenant="globex"), "retention.rule", "single", "failed"),
        (lambda: store.set_retention(tenant="globex", max_age="9d"), "retention.rule", "result", "failed"),
        (lambda: store.remove_retention(classification=""), "retention.rule", "single", "failed"),
        (lambda: store.remove_retention(classification="x"), "retention.rule", "result", "failed"),
        (lambda: store.apply_retention(NO_DIGEST), "retention.apply", "single", "failed"),
        (lambda: store.allow_model("no name", ["internal"], kind="chat"), "model.rule", "single", "failed"),
        (lambda: store.cancel_job(NO_ID), "job.advance", "result", "failed"),
        (lambda: tenant.erase_subject(" "), "subject.erase", "result", "failed"),
        (lambda: tenant.find_subject(" "), "subject.find", "single", "failed"),
        (lambda: export_tombstones(store, tmp_path / "a", since=tmp_path), "backup.tombstones", "single", "failed"),
        (lambda: create_backup(store, Path(__file__).parent), "backup.create", "result", "failed"),
    ]
    for number, (call, *wanted) in enumerate(failing):
        with pytest.raises(SecurevecError):
            call()
        [last] = pair.stage.audit()
        assert [last[name] for name in ("action", "phase", "outcome")] == wanted, number
        assert last["error"], number


@pytest.mark.parametrize("table", ["holds", "retention_rules", "tenants"])
def test_a_listing_that_fails_is_in_the_log_under_its_action(
    guarded: tuple[Pair, Porter], monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    pair, _ = guarded
    store = pair.stage.store
    calls: dict[str, tuple[Callable[[], object], str]] = {
        "holds": (lambda: pair.stage.acme.holds(), "hold"),
        "retention_rules": (lambda: store.retention_rules(), "retention.rule"),
        "tenants": (lambda: store.models(), "model.rule"),
    }
    call, action = calls[table]

    def away(*_: object) -> None:
        raise ControlUnavailable("The control store does not answer.")

    monkeypatch.setattr(store.runtime.control, table, away)
    with pytest.raises(ControlUnavailable):
        call()
    monkeypatch.undo()
    [last] = pair.stage.audit()
    assert (last["action"], last["outcome"], last["error"]) == (action, "failed", "ControlUnavailable")
