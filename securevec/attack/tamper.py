"""What is done to rows: moved, swapped, rolled back, edited, replaced by plaintext. Each function does one such thing
to the second tenant of a pair and says how many rows no longer belong where they lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from securevec.attack.rows import Vandal
from securevec.attack.stage import GLOBEX_MARK, text
from securevec.crypto.armour import to_text
from securevec.types import Scalar

if TYPE_CHECKING:
    from securevec.attack.stage import Pair


@dataclass(frozen=True)
class Forgery:
    """What was done to the store and what the reader must say: how many rows do not belong."""

    violations: int = 1


Forge = Callable[["Pair"], Forgery]


def copy_under_its_own_id(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    if acme.shared:
        acme.relabel(acme.row(), globex)
    else:
        globex.put(acme.row())
    return Forgery()


def copy_under_a_new_id(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    globex.put(replace(acme.row(), id=uuid4()))
    return Forgery()


def copy_over_an_own_row(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    globex.put(replace(acme.row(), id=globex.row().id))
    return Forgery()


def relabel_the_tags(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    for row in acme.rows()[:3]:
        acme.relabel(row, globex)
    return Forgery(3)


def foreign_body_in_an_own_row(pair: Pair) -> Forgery:
    acme, globex = _vandals(pair)
    globex.put(globex.row().but(b=acme.row().payload["b"]))
    return Forgery()


def swap_two_bodies(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    first, second = globex.rows()[:2]
    globex.put(first.but(b=second.payload["b"]))
    globex.put(second.but(b=first.payload["b"]))
    return Forgery(2)


def own_row_under_a_new_id(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    globex.put(replace(globex.row(), id=uuid4()))
    return Forgery()


def exchange_body_and_vault(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    row = globex.row()
    globex.put(row.but(b=row.payload["v"], v=row.payload["b"]))
    return Forgery()


def put_an_old_generation_back(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    old = globex.row_of("T-2")
    pair.globex.ingest([text(2, GLOBEX_MARK) | {"body": "refund replaced"}])
    globex.put(old)
    return Forgery()


def put_a_deleted_record_back(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    old = globex.row_of("T-2")
    pair.globex.delete("T-2")
    globex.put(old)
    return Forgery()


def old_body_in_the_new_row(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    old = globex.row_of("T-2")
    pair.globex.ingest([text(2, GLOBEX_MARK) | {"body": "refund replaced"}])
    globex.put(globex.row_of("T-2").but(b=old.payload["b"]))
    return Forgery()


def row_of_another_collection_of_the_tenant(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    other = pair.stage.pair()
    other.globex.ingest([text(2, GLOBEX_MARK)])
    foreign = Vandal(pair.stage, other.globex)
    foreign.relabel(foreign.row(), globex)
    return Forgery()


def body_of_another_collection_of_the_tenant(pair: Pair) -> Forgery:
    _, globex = _vandals(pair)
    other = pair.stage.pair()
    other.globex.ingest([text(2, GLOBEX_MARK)])
    globex.put(globex.row().but(b=Vandal(pair.stage, other.globex).row().payload["b"]))
    return Forgery()


def edited_body(change: Callable[[bytes], Scalar | None]) -> Callable[[Pair], Forgery]:
    """One row's body replaced by what ``change`` makes of its bytes."""

    def forge(pair: Pair) -> Forgery:
        _, globex = _vandals(pair)
        row = globex.row()
        globex.put(row.but(b=change(row.body)))
        return Forgery()

    return forge


def flipped(at: int) -> Callable[[bytes], str]:
    def change(body: bytes) -> str:
        raw = bytearray(body)
        raw[at] ^= 1
        return encoded(bytes(raw))

    return change


def encoded(body: bytes) -> str:
    return to_text(body)


def with_version(body: bytes, version: int) -> str:
    return encoded(body[:2] + bytes([version]) + body[3:])


def with_suite(body: bytes, suite: int) -> str:
    return encoded(body[:3] + bytes([suite]) + body[4:])


def with_flags(body: bytes) -> str:
    return encoded(body[:5] + b"\x80" + body[6:])


def with_key_id(body: bytes) -> str:
    return encoded(body[:8] + hashlib.sha256(body).digest()[:16] + body[24:])


def second_spelling(body: bytes) -> str:
    """The same bytes, spelled with surplus padding."""
    return encoded(body).rstrip("=") + "===="


PLAINTEXT: Final = '{"v":1,"r":["s","T-1"],"g":1,"n":0,"of":1}'
DAMAGED: Final[dict[str, Callable[[bytes], Scalar | None]]] = {
    "plaintext JSON": lambda body: PLAINTEXT,
    "no body": lambda body: None,
    "an empty body": lambda body: "",
    "a number": lambda body: 7,
    "a boolean": lambda body: True,
    "garbage": lambda body: "\u00e9\u00e9 not base64 \x00",
    "base64 of garbage": lambda body: encoded(b"garbage" * 20),
    "header only": lambda body: encoded(body[:36]),
    "one byte short": lambda body: encoded(body[:-1]),
    "one byte more": lambda body: encoded(body + b"\x00"),
    "a flipped bit in the nonce": flipped(30),
    "a flipped bit in the text": flipped(60),
    "a flipped bit in the tag": flipped(-1),
    "another magic": flipped(0),
    "another spelling of the same bytes": second_spelling,
}
"""Bodies that are none: each is a violation."""
UNREADABLE: Final[dict[str, Callable[[bytes], str]]] = {
    "a key nobody has": with_key_id,
    "version 2": lambda body: with_version(body, 2),
    "version 0": lambda body: with_version(body, 0),
    "another suite": lambda body: with_suite(body, 9),
    "a flag": with_flags,
}
"""Bodies under a key or in a format that nobody here knows: each is an error, and no violation."""
VAULTS: Final[dict[str, Callable[[Vandal, Vandal], Scalar | None]]] = {
    "missing": lambda own, foreign: None,
    "of another record": lambda own, foreign: own.row_of("T-2").payload["v"],
    "of another tenant": lambda own, foreign: foreign.row_of("T-1").payload["v"],
    "the body again": lambda own, foreign: own.row_of("T-1").payload["b"],
    "plaintext": lambda own, foreign: '{"v":1,"f":{"body":["eve@example.com"]}}',
}
"""What may stand in place of the vault of ``T-1``, given both tenants' rows."""


def _vandals(pair: Pair) -> tuple[Vandal, Vandal]:
    return Vandal(pair.stage, pair.acme), Vandal(pair.stage, pair.globex)
