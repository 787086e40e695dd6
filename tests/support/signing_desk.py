"""An exchange of the signing key, and a process that dies at one of its steps."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

import securevec as sv
from securevec.audit import AuditReport, files, verify_log
from securevec.audit.writers import WriterLog
from securevec.crypto.sign import SigningKey
from securevec.keys.keyring import KeyRing
from securevec.proof.anchoring import VerifiedLog
from securevec.proof.receipt import issue
from securevec.testing.embedders import HashEmbedder

STEPS: Final[dict[str, tuple[type, str]]] = {
    "made": (WriterLog, "exchange"),
    "line written, not issued": (WriterLog, "_write"),
    "handed over": (KeyRing, "_adopt"),
    "adopted": (KeyRing, "destroy_retired_signing_keys"),
}


def opened(home: Path) -> sv.SecureStore:
    return sv.SecureStore.open(
        home, backend="memory", key_file=home.parent / "root.key", embedder=HashEmbedder(), create=not home.exists()
    )


def gone(store: sv.SecureStore, tenant: str) -> bytes:
    """The receipt of a tenant that was made and deleted."""
    store.tenant(tenant, create=True)
    return store.delete_tenant(tenant).raise_if_incomplete().receipt or b""


def checked(store: sv.SecureStore, public: bytes) -> tuple[AuditReport, VerifiedLog]:
    audit, log_id = store.home / "audit", store.runtime.installation_id
    report = verify_log(audit, log_id=log_id, public_key=public, anchor=None)
    return report, VerifiedLog(audit, log_id, report)


def resigned(receipt: bytes, key: SigningKey, **changes: Any) -> bytes:
    """A receipt that a thief of ``key`` signs, made from a genuine one."""
    said = orjson.loads(base64.b64decode(orjson.loads(receipt)["payload"]))["predicate"]
    return issue({**said, **changes}, manifest=b"forged", key=key)


def killed_rotating(home: Path, step: str, *, compromised: bool) -> None:
    """Have a child exchange the key and die at this step."""
    child = os.fork()
    if child == 0:
        try:
            _rotate_and_die(home, *STEPS[step], compromised=compromised)
        finally:
            os._exit(3)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def _rotate_and_die(home: Path, owner: type, name: str, *, compromised: bool) -> None:
    with opened(home) as store:
        real: Callable[..., Any] = getattr(owner, name)
        armed = [False]

        def die(self: Any, *args: Any, **options: Any) -> Any:
            if name == "destroy_retired_signing_keys" and not armed[0]:
                armed[0] = True  # the look for an attempt that was cut short
                return real(self, *args, **options)
            if name == "_write":
                if b'"event":"succession"' not in args[0]:
                    return real(self, *args, **options)
                segment = files.AppendFile(self._directory / files.segment_name(self._segment))
                segment.append(args[0])
            os.kill(os.getpid(), signal.SIGKILL)
            return None

        setattr(owner, name, die)
        store.rotate_signing_key(compromised=compromised)
