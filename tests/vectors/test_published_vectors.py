"""Each suite's cipher, as the envelope calls it, on the published vectors of the package ``cryptography_vectors``.

NIST CAVP for AES-256-GCM with the nonces and tags we use, RFC 8452 for GCM-SIV, RFC 8439 and BoringSSL for
ChaCha20-Poly1305, RFC 4231 for HMAC. Suite 2 is our construction over GCM and HMAC: known_answers.json has its vectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.exceptions import InvalidTag

from securevec.crypto.kdf import hmac256
from securevec.crypto.suites import aead

VECTORS = Path(cryptography_vectors.__file__).parent


def records(path: str) -> Iterator[dict[str, str]]:
    """Blocks of ``name = value`` or ``name: value`` lines; a block ends at an empty line."""
    block: dict[str, str] = {}
    for line in [*(VECTORS / path).read_text(encoding="ascii").splitlines(), ""]:
        if found := re.match(r"([A-Za-z]+)\s*[=:]\s*(.*)$", line):
            block[found[1].lower()] = found[2].strip()
        elif line.strip() == "FAIL":
            block["fail"] = ""
        elif not line.strip() and block:
            yield block
            block = {}


def value(text: str) -> bytes:
    return text[1:-1].encode() if text.startswith('"') else bytes.fromhex(text)


def check(suite: int, case: dict[str, bytes], *, fails: bool) -> None:
    cipher = aead(suite, case["key"])
    sealed = case["ct"] + case["tag"]
    if fails:
        with pytest.raises(InvalidTag):
            cipher.decrypt(case["nonce"], sealed, case["ad"])
        return
    assert cipher.decrypt(case["nonce"], sealed, case["ad"]) == case["pt"]
    assert cipher.encrypt(case["nonce"], case["pt"], case["ad"]) == sealed
    with pytest.raises(InvalidTag):
        cipher.decrypt(case["nonce"], sealed[:-1] + bytes([sealed[-1] ^ 1]), case["ad"])


def test_aes_256_gcm_agrees_with_nist() -> None:
    seen = failed = 0
    for record in records("ciphers/AES/GCM/gcmDecrypt256.rsp"):
        if not {"key", "iv", "ct", "aad", "tag"} <= set(record) or len(record["iv"]) != 24 or len(record["tag"]) != 32:
            continue
        case = {name: bytes.fromhex(record[name]) for name in ("key", "ct", "tag")}
        case |= {"nonce": bytes.fromhex(record["iv"]), "ad": bytes.fromhex(record["aad"])}
        case["pt"] = bytes.fromhex(record.get("pt", ""))
        check(1, case, fails="fail" in record)
        seen, failed = seen + 1, failed + ("fail" in record)
    assert seen >= 300
    assert failed >= 50


def test_aes_256_gcm_siv_agrees_with_rfc_8452() -> None:
    seen = 0
    for record in records("ciphers/AES/GCM-SIV/openssl.txt"):
        if "key" not in record or len(record["key"]) != 64:
            continue
        check(3, {**_openssl(record)}, fails=False)
        seen += 1
    assert seen >= 20


def test_chacha20_poly1305_agrees_with_rfc_8439_and_boringssl() -> None:
    seen = 0
    for record in records("ciphers/ChaCha20Poly1305/boringssl.txt"):
        if "nonce" not in record or len(value(record["nonce"])) != 12 or len(value(record["tag"])) != 16:
            continue
        names = {"key": "key", "nonce": "nonce", "pt": "in", "ad": "ad", "ct": "ct", "tag": "tag"}
        case = {name: value(record.get(there, "")) for name, there in names.items()}
        check(4, case, fails="fail" in record)
        seen += 1
    assert seen >= 50


def test_hmac_sha_256_agrees_with_rfc_4231() -> None:
    cases = [record for record in records("HMAC/rfc-4231-sha256.txt") if "md" in record]
    for case in cases:
        message = bytes.fromhex(case["msg"])[: int(case["len"]) // 8]
        assert hmac256(bytes.fromhex(case["key"]), message).hex() == case["md"]
    assert len(cases) >= 5


def _openssl(record: dict[str, str]) -> dict[str, bytes]:
    names = {"key": "key", "nonce": "iv", "pt": "plaintext", "ad": "aad", "ct": "ciphertext", "tag": "tag"}
    return {name: bytes.fromhex(record.get(there, "")) for name, there in names.items()}
