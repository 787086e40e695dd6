"""A SoftHSM token of this process's own, and moto's KMS over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.keyservices import SOFTHSM, kms_server, softhsm_token


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    assert SOFTHSM.exists(), "softhsm2 is not installed: apt-get install softhsm2"
    yield softhsm_token(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture(scope="session")
def kms() -> Iterator[str]:
    with kms_server() as address:
        yield address
