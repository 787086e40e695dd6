"""A real PKCS#11 token (SoftHSM2) and moto's KMS over HTTP, for tests and their child processes."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

SOFTHSM: Final = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN: Final = "4711-user"
NEEDS_TOKEN: Final = pytest.mark.skipif(
    # A system part that pip cannot bring: a fresh machine has none and says so. `.ci/run` installs it.
    shutil.which("softhsm2-util") is None,
    reason="needs a PKCS#11 token: apt-get install softhsm2",
)


@cache
def softhsm_token() -> dict[str, str]:
    """A new token, and the environment in which it is found. One a process: the module reads its settings once."""
    assert SOFTHSM.exists(), "the module of softhsm2 lies elsewhere than Debian keeps it"
    folder = Path(tempfile.mkdtemp(prefix="securevec-softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(config)
    label = f"securevec-{os.urandom(4).hex()}"
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "4711-officer", "--pin", PIN],
        check=True,
        capture_output=True,
    )
    return {
        "SOFTHSM2_CONF": str(config),
        "SECUREVEC_PKCS11_MODULE": str(SOFTHSM),
        "SECUREVEC_PKCS11_TOKEN": label,
        "SECUREVEC_PKCS11_PIN": PIN,
    }


@contextmanager
def kms_server() -> Generator[str]:
    """The address of a KMS that forgets everything at the end."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def kms_client(address: str, *, patience: float = 60, **settings: Any) -> Any:
    """A client that waits ``patience`` seconds: the service loads itself at its first request, which takes a second on
    a busy machine, and more where nothing is compiled yet."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "kms",
        endpoint_url=address,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(connect_timeout=patience, read_timeout=patience, retries={"max_attempts": 1}, **settings),
    )
