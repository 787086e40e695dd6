"""``securevec doctor``: what is installed and needed, and where given vectors come from."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import securevec as sv
from securevec.cli import checks
from securevec.policy.rules import Decision, Request
from securevec.testing.embedders import HashEmbedder
from tests.cli.conftest import Shell
from tests.support.world import Ticket, ticket


def test_every_extra_of_the_wheel_is_looked_at_and_by_every_package_it_brings() -> None:
    declared: dict[str, set[str]] = {}
    for line in metadata.requires("securevec") or ():
        found = re.match(r"([A-Za-z0-9._-]+).*; extra == ['\"]([a-z0-9]+)['\"]", line)
        if found is not None and found[2] not in ("all", "demo", "dev"):
            declared.setdefault(found[2], set()).add(found[1])
    assert set(declared) == set(checks._EXTRAS)
    for extra, packages in declared.items():
        assert packages <= set(checks._EXTRAS[extra]), extra


@pytest.mark.parametrize("backend", ["chroma", "qdrants://127.0.0.1:6333"])
@pytest.mark.parametrize(("provider", "extra"), [("pkcs11", "pkcs11"), ("aws-kms", "aws")])
def test_what_the_settings_need_and_is_not_installed_is_wrong_and_the_rest_is_a_note(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backend: str, provider: str, extra: str
) -> None:
    def none(package: str) -> None:
        return None

    monkeypatch.setattr(checks, "_version", none)
    monkeypatch.setenv("SECUREVEC_BACKEND", backend)
    monkeypatch.setenv("SECUREVEC_KEY_PROVIDER", provider)
    answer = shell.run("doctor", "--json", "--home", str(tmp_path / "none"))
    assert answer.code == 1
    found = {check["name"]: check for check in answer.json if check["name"].startswith("extra ")}
    assert len(found) == len(checks._EXTRAS)
    needed = {f"extra {name}" for name in (re.split("s?:", backend)[0], extra, "embed")}
    assert {name for name, check in found.items() if check["status"] == "wrong"} == needed
    for name, check in found.items():
        assert f"securevec[{name.removeprefix('extra ')}]" in check["next_step"]


class _Anything:
    """A policy that permits what no built-in role has."""

    digest = "0" * 64

    def decide(self, request: Request) -> Decision:
        return Decision(allowed=True, rule=self.digest)


def test_vectors_of_unknown_origin_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, key = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(
        home, key_file=key, embedder=HashEmbedder(), backend="memory", policy=_Anything()
    ) as store:
        tickets = store.tenant("acme", create=True, actor=sv.Actor.local()).collection(Ticket)
        vectors = np.ones((1, HashEmbedder().identity.dimension), dtype=np.float32)
        assert tickets.ingest([ticket(1, "My refund never came.")], vectors=vectors, vectors_of="unknown").new == 1
    answer = Shell(tmp_path, home, capsys).at_home("doctor", "--json", "--key-file", str(key))
    assert answer.checks["given vectors"]["status"] == "note"


def test_an_attempt_that_was_refused_is_no_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, key = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, key_file=key, embedder=HashEmbedder(), backend="memory") as store:
        tickets = store.tenant("acme", create=True, actor=sv.Actor.local()).collection(Ticket)
        vectors = np.ones((1, HashEmbedder().identity.dimension), dtype=np.float32)
        with pytest.raises(sv.errors.PolicyDenied):
            tickets.ingest([ticket(1, "My refund never came.")], vectors=vectors, vectors_of="unknown")
    answer = Shell(tmp_path, home, capsys).at_home("doctor", "--json", "--key-file", str(key))
    assert answer.checks["given vectors"]["status"] == "ok"
