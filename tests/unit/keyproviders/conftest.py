"""A SoftHSM token of this process's own, and moto's KMS over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.keyservices import kms_server, softhsm_token


@pytest.fixture(scope="session")
def token() -> dict[str, str]:
    return softhsm_token()


@pytest.fixture(scope="session")
def kms() -> Iterator[str]:
    with kms_server() as address:
        yield address
