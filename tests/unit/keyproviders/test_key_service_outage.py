"""The key provider is down, slow, wrong or has withdrawn the key: a typed error each time, and never a key made up."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from securevec.clock import Clock
from securevec.crypto.root import RootKey, Roots
from securevec.errors import ConfigError, KeyDestroyed, KeyDisabled, KeyRejected, KeyUnavailable, SecurevecError
from securevec.keyproviders.aws_kms import AwsKmsProvider
from securevec.keyproviders.choosing import provider_from
from securevec.keyproviders.file import FileRoot
from securevec.keyproviders.pkcs11 import Pkcs11Provider
from securevec.keyproviders.provider import to_base64
from securevec.keys.keyring import KeyRing
from securevec.testing.keyproviders import INSTALLATION
from securevec.types import CollectionId, TenantId
from tests.support.keyservices import NEEDS_TOKEN, kms_client

Answer = tuple[int, bytes]


@pytest.fixture
def lying() -> Iterator[tuple[str, list[Answer]]]:
    """A KMS that answers with the last entry of a list, and not before the end when the status is 0."""
    answers: list[Answer] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answers[-1]
            if status == 0:
                over.wait(60)  # more than the client waits
            with contextlib.suppress(OSError):  # the client waits no longer
                self.send_response(status or 200)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def _refused(name: str) -> Answer:
    return 400, json.dumps({"__type": name, "message": "no"}).encode()


def _plaintext(data: bytes) -> Answer:
    return 200, json.dumps({"KeyId": "k", "Plaintext": base64.b64encode(data).decode()}).encode()


def test_every_wrong_answer_of_a_kms_is_an_error_of_its_own_class(lying: tuple[str, list[Answer]]) -> None:
    address, answers = lying
    remembered = {"kind": "aws-kms", "key": "k", "ours": False, "wrapped": to_base64(b"x" * 80), "key_id": "0" * 16}
    provider = AwsKmsProvider(key="k", client=kms_client(address))
    # Only where no answer comes: an answer that does may take a second on a busy machine.
    hasty = AwsKmsProvider(key="k", client=kms_client(address, patience=0.2))
    cases: list[tuple[Answer, type[SecurevecError]]] = [
        (_plaintext(b"k" * 32), KeyRejected),
        (_plaintext(b"k" * 31), KeyRejected),
        ((200, b"{}"), KeyUnavailable),
        ((200, b'{"Plaintext": "AAAA'), KeyUnavailable),
        ((500, b""), KeyUnavailable),
        ((0, b"{}"), KeyUnavailable),
        (_refused("DisabledException"), KeyDisabled),
        (_refused("KMSInvalidStateException"), KeyDisabled),
        (_refused("NotFoundException"), KeyDestroyed),
        (_refused("AccessDeniedException"), KeyRejected),
        (_refused("InvalidCiphertextException"), KeyRejected),
        (_refused("ThrottlingException"), KeyUnavailable),
    ]
    for answer, expected in cases:
        answers.append(answer)
        with pytest.raises(SecurevecError) as caught:
            (provider if answer[0] else hasty).load(remembered, INSTALLATION)
        assert type(caught.value) is expected, answer
    answers.append(_plaintext(b"k" * 31))
    with pytest.raises(KeyRejected):
        provider.create(INSTALLATION)
    nobody = AwsKmsProvider(key="k", client=kms_client("http://127.0.0.1:1"))
    with pytest.raises(KeyUnavailable):
        nobody.load(remembered, INSTALLATION)


@NEEDS_TOKEN
def test_a_wrong_pin_or_token_is_told_apart_from_an_absent_one(token: dict[str, str]) -> None:
    provider = provider_from("pkcs11", token)
    assert provider is not None
    _, remembered = provider.create(INSTALLATION)
    for change, expected in (
        ({"SECUREVEC_PKCS11_PIN": "0000-wrong"}, KeyRejected),
        ({"SECUREVEC_PKCS11_TOKEN": "nobody"}, KeyRejected),
        ({"SECUREVEC_PKCS11_MODULE": "/nonexistent.so"}, KeyUnavailable),
    ):
        other = provider_from("pkcs11", token | change)
        assert other is not None
        with pytest.raises(SecurevecError) as caught:
            other.load(remembered, INSTALLATION)
        assert type(caught.value) is expected, change
        assert token["SECUREVEC_PKCS11_PIN"] not in str(caught.value)


@NEEDS_TOKEN
def test_a_second_key_of_the_same_label_in_the_token_is_refused_and_not_guessed_at(token: dict[str, str]) -> None:
    """Planted by who has the PIN: which of the two answers would be the token's choice, and giving up a root key
    would destroy the wrong one."""
    provider = provider_from("pkcs11", token)
    assert isinstance(provider, Pkcs11Provider)
    _, remembered = provider.create(INSTALLATION)
    with provider._session(write=True) as session:
        session.generate_key(provider._pkcs11.KeyType.AES, 256, label=remembered["key"], store=True)
    with pytest.raises(KeyRejected, match="two keys"):
        provider.load(remembered, INSTALLATION)
    with pytest.raises(KeyRejected, match="two keys"):
        provider.retire(remembered, INSTALLATION)
    with provider._session(write=True) as session:
        found = session.get_objects({provider._pkcs11.Attribute.LABEL: remembered["key"]})
        assert len(list(found)) == 2, "nothing was destroyed"


@NEEDS_TOKEN
def test_a_token_that_keeps_a_key_it_was_told_to_destroy_is_no_evidence(
    token: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provider_from("pkcs11", token)
    assert isinstance(provider, Pkcs11Provider)
    root, remembered = provider.create(INSTALLATION)
    honest = Pkcs11Provider._find

    class Keeps:
        """The token's key, which says yes to its destruction."""

        def __init__(self, key: Any) -> None:
            self._key = key

        def destroy(self) -> None:
            return None

        def __getattr__(self, name: str) -> Any:
            return getattr(self._key, name)

    def found(provider: Pkcs11Provider, session: Any, label: str) -> Keeps:
        return Keeps(honest(provider, session, label))

    monkeypatch.setattr(Pkcs11Provider, "_find", found)
    with pytest.raises(KeyUnavailable, match="still shows"):
        provider.retire(remembered, INSTALLATION)
    monkeypatch.undo()
    assert provider.load(remembered, INSTALLATION).key_id == root.key_id


@NEEDS_TOKEN
def test_a_forked_child_reaches_the_token(token: dict[str, str]) -> None:
    provider = provider_from("pkcs11", token)
    assert provider is not None
    root, remembered = provider.create(INSTALLATION)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if provider.load(remembered, INSTALLATION).key_id == root.key_id else 2)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


class Outage:
    """A provider that answers until :attr:`error` is set, and a time that only the test moves."""

    def __init__(self, root: RootKey) -> None:
        self.root = root
        self.error: SecurevecError | None = None
        self.now = 0.0
        self.asked = 0

    def fetch(self, _: str) -> RootKey:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.root


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., tuple[KeyRing, Outage]]]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    root = FileRoot.create(tmp_path / "root.key", home)
    KeyRing.create(home / "keys", root, Clock()).close()
    rings: list[KeyRing] = []

    def make(**settings: Any) -> tuple[KeyRing, Outage]:
        outage = Outage(root)
        roots = Roots(outage.fetch, ttl_s=300, now=lambda: outage.now, **settings)
        rings.append(KeyRing.open(home / "keys", roots, Clock(), cache_ttl_s=0))
        return rings[-1], outage

    yield make
    for ring in rings:
        ring.close()


def test_reads_go_on_until_the_time_is_up_then_nothing_is_written_and_deletion_goes_on(
    opened: Callable[..., tuple[KeyRing, Outage]],
) -> None:
    ring, outage = opened()
    tenant, collection = TenantId(os.urandom(16).hex()), CollectionId(os.urandom(16).hex())
    ring.create_tenant(tenant)
    sealed_with = ring.data_key(tenant, collection, "body", "2026-11").key_id
    asked, before = outage.asked, len(ring.list_keys())
    assert asked == 1
    outage.error = KeyUnavailable("down")
    outage.now = 299
    assert ring.key_by_id(sealed_with).key_id == sealed_with
    assert outage.asked == asked
    outage.now = 301
    for attempt in (
        lambda: ring.key_by_id(sealed_with),
        lambda: ring.tenant_key(tenant, "token"),
        lambda: ring.data_key(tenant, collection, "body", "2026-12"),
        lambda: ring.create_tenant(TenantId(os.urandom(16).hex())),
        lambda: ring.rotate_tenant(tenant),
    ):
        with pytest.raises(KeyUnavailable):
            attempt()
    assert len(ring.list_keys()) == before
    # What signs and names goes on, so deletions are recorded; destroying keys needs no provider.
    assert ring.signing_key().public
    assert len(ring.installation_key("actors")) == 32
    assert len(ring.destroy_epoch(tenant, collection, "2026-11").key_ids) == 1


def test_a_stale_root_serves_an_outage_for_its_time_and_a_withdrawn_key_not_at_all(
    opened: Callable[..., tuple[KeyRing, Outage]],
) -> None:
    tenant = TenantId(os.urandom(16).hex())
    ring, outage = opened(stale_s=600)
    ring.create_tenant(tenant)
    outage.error, outage.now = KeyUnavailable("down"), 899
    key = ring.tenant_key(tenant, "token")
    outage.now = 901
    with pytest.raises(KeyUnavailable):
        ring.tenant_key(tenant, "token")
    for error in (KeyDisabled("off"), KeyRejected("no"), KeyDestroyed("gone")):
        ring, outage = opened(stale_s=600)
        assert ring.tenant_key(tenant, "token") == key
        outage.error, outage.now = error, 301
        with pytest.raises(type(error)):
            ring.tenant_key(tenant, "token")
        outage.error = KeyUnavailable("down")
        with pytest.raises((KeyUnavailable, type(error))):
            ring.tenant_key(tenant, "token")


@pytest.mark.parametrize("empty", ["token", "pin", "label"])
def test_a_token_is_not_used_without_its_label_and_pin(empty: str) -> None:
    """An empty label of a token is any token's in some modules, and an empty PIN one that many have."""
    named = {"token": "securevec", "pin": "1234", "label": "securevec"} | {empty: ""}
    with pytest.raises(ConfigError):
        Pkcs11Provider(module="/nowhere.so", **named)
