"""Signed notes: the published vector of the reference implementation, a second decoder, and what must be refused."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from securevec.audit import checkpoint
from securevec.crypto.secret import Secret
from securevec.crypto.sign import SigningKey
from securevec.errors import AuditTampered
from tests.unit.audit.logkit import signing_key

# The key and note of the reference implementation's documentation and tests (golang.org/x/mod/sumdb/note), which
# C2SP signed-note specifies. Ed25519 is deterministic, so our bytes must be the same.
NAME = "PeterNeumann"
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
PUBLIC = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
TEXT = (
    b"If you think cryptography is the answer to your problem,\n"
    b"then you don't know what your problem is.\n"
)  # fmt: skip
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = TEXT + f"\n— PeterNeumann {SIGNATURE}\n".encode()

# The example of the C2SP signed-note page: its text holds an empty line.
POEM = (
    "Ognuno sta solo sul cuor della terra\n"
    "trafitto da un raggio di sole:\n"
    "\n"
    "ed è subito sera.\n"
    "\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()

ORIGIN = "securevec/" + "ab" * 16 + "/w-01M83N10P23JD2W7ZTKHCBN643"
ROOT = hashlib.sha256(b"root").digest()


def test_the_published_note_is_reproduced_byte_for_byte() -> None:
    assert checkpoint.sign_text(TEXT, NAME, SigningKey(Secret(SEED[1:]))) == NOTE


def test_the_published_note_and_key_id_are_accepted() -> None:
    assert checkpoint.key_id(NAME, PUBLIC[1:]).hex() == "c74f20a3"
    assert checkpoint.open_text(NOTE, NAME, PUBLIC[1:]) == TEXT


def test_a_note_of_a_key_we_do_not_know_is_refused() -> None:
    with pytest.raises(AuditTampered, match="not signed by this log's key"):
        checkpoint.open_text(POEM, NAME, PUBLIC[1:])


@pytest.mark.parametrize("control", [byte for byte in range(0x20) if byte != 0x0A])
def test_a_control_character_is_refused_even_under_a_good_signature(control: int) -> None:
    """A terminal or another reader would show something else than what is signed."""
    text = b"paid: 100" + bytes([control]) + b"200\n"
    signer = SigningKey(Secret(SEED[1:]))
    with pytest.raises(AuditTampered, match="malformed"):
        checkpoint.open_text(checkpoint.sign_text(text, NAME, signer), NAME, PUBLIC[1:])
    plain = text.replace(bytes([control]), b" ")
    assert checkpoint.open_text(checkpoint.sign_text(plain, NAME, signer), NAME, PUBLIC[1:]) == plain


def test_a_checkpoint_reads_the_same_in_a_second_decoder() -> None:
    key = signing_key()
    note = checkpoint.sign_note(ORIGIN, 41_822, ROOT, key)
    text, _, tail = note.decode().partition("\n\n")
    assert text.split("\n") == [ORIGIN, "41822", base64.b64encode(ROOT).decode()]
    dash, name, blob = tail.rstrip("\n").split(" ")
    raw = base64.b64decode(blob)
    assert (dash, name, len(raw)) == ("\u2014", ORIGIN, 68)
    assert raw[:4] == hashlib.sha256(ORIGIN.encode() + b"\n\x01" + key.public).digest()[:4]
    Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], (text + "\n").encode())


def test_a_checkpoint_opens_again() -> None:
    key = signing_key()
    note = checkpoint.sign_note(ORIGIN, 7, ROOT, key)
    assert checkpoint.open_note(note, key.public, ORIGIN) == checkpoint.Checkpoint(ORIGIN, 7, ROOT)


def test_a_witness_line_does_not_disturb() -> None:
    key = signing_key()
    note = checkpoint.sign_note(ORIGIN, 7, ROOT, key)
    witness = checkpoint.sign_text(note.partition(b"\n\n")[0] + b"\n", "witness.example/w1", signing_key("witness"))
    cosigned = note + witness.partition(b"\n\n")[2]
    assert checkpoint.open_note(cosigned, key.public, ORIGIN).size == 7


def _signed(text: str) -> bytes:
    return checkpoint.sign_text(text.encode(), ORIGIN, signing_key())


B64 = base64.b64encode(ROOT).decode()
GOOD = checkpoint.sign_note(ORIGIN, 7, ROOT, signing_key())
REFUSED = {
    "empty": b"",
    "no signature": GOOD.partition(b"\n\n")[0] + b"\n",
    "cut": GOOD[:-1],
    "larger size": GOOD.replace(b"\n7\n", b"\n8\n"),
    "other root": GOOD.replace(B64.encode(), base64.b64encode(bytes(32))),
    "hyphen": GOOD.replace("—".encode(), b"-"),
    "garbage after": GOOD + b"garbage\n",
    "second blank line": GOOD.replace(b"\n\n", b"\n\n\n"),
    "not UTF-8": GOOD.replace(b"securevec", b"securev\xffc"),
    "control character": GOOD.replace(b"\n7\n", b"\n7\r\n"),
    "too many signatures": GOOD + GOOD.partition(b"\n\n")[2] * 20,
    "short signature": GOOD + "— w AAAA\n".encode(),
    "another key": checkpoint.sign_note(ORIGIN, 7, ROOT, signing_key("another")),
    "another origin": checkpoint.sign_note(ORIGIN + "x", 7, ROOT, signing_key()),
    "size with zero": _signed(f"{ORIGIN}\n07\n{B64}\n"),
    "size with sign": _signed(f"{ORIGIN}\n+7\n{B64}\n"),
    "negative size": _signed(f"{ORIGIN}\n-7\n{B64}\n"),
    "size in other digits": _signed(f"{ORIGIN}\n٧\n{B64}\n"),
    "a line more": _signed(f"{ORIGIN}\n7\n{B64}\nextension\n"),
    "root without padding": _signed(f"{ORIGIN}\n7\n{B64.rstrip('=')}\n"),
    "root of 31 bytes": _signed(f"{ORIGIN}\n7\n{base64.b64encode(bytes(31)).decode()}\n"),
    "root spelled twice": _signed(f"{ORIGIN}\n7\n{B64[:-2]}{chr(ord(B64[-2]) + 1)}=\n"),
    "other origin inside": _signed(f"other\n7\n{B64}\n"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_note_that_is_not_exactly_ours_is_refused(case: str) -> None:
    with pytest.raises(AuditTampered):
        checkpoint.open_note(REFUSED[case], signing_key().public, ORIGIN)


def test_every_flipped_bit_of_a_note_is_refused() -> None:
    for place in range(len(GOOD)):
        for bit in range(8):
            flipped = bytearray(GOOD)
            flipped[place] ^= 1 << bit
            with pytest.raises(AuditTampered):
                checkpoint.open_note(bytes(flipped), signing_key().public, ORIGIN)


@pytest.mark.parametrize("name", ["", "two words", "line\nbreak", "plus+sign"])
def test_a_key_name_that_would_break_the_grammar_is_not_signed(name: str) -> None:
    with pytest.raises(ValueError, match="key name"):
        checkpoint.sign_text(b"text\n", name, signing_key())
