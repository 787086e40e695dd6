"""Deletion receipts: in-toto statements in DSSE envelopes, signed with the installation's Ed25519 key.

Sources: in-toto Attestation Framework, Statement v1; DSSE v1.0.2 (pre-authentication encoding). A receipt holds no
name, no record id and no content, so it can be handed to the person who asked for the deletion.

Predicate ``https://securevec.dev/erasure/v1``:

    kind            "tenant", "retention", "move" (of a tenant; ``source`` and ``target`` are layouts), "subject" (whose
                    own fields are in :mod:`securevec.people.receipts`), or an exchange of keys: "reseal", "reindex",
                    "recloak", "renew", "resurrogate"
    tenant          random tenant id
    job, requested_ms, keys_destroyed_ms, completed_ms
    actor           audit pseudonym of who asked
    manifest        {"records", "chunks", "collections", "keys"}: counts fixed before anything was deleted
    artefacts       one entry per thing: {"artefact", "method", "verdict", "evidence", "residual"}
    root            the root key of the key store then: {"key_id", "rotations" so far, earlier ones "kept", "ratchet"}
    audit           {"log", "writer", "index"}: the audit record of the result
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, cast

import orjson

from securevec.audit import Keychain, Succession
from securevec.clock import from_ms
from securevec.crypto.sign import SIGNATURE_BYTES, SigningKey, verify
from securevec.errors import CheckFailed, ReceiptInvalid

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://securevec.dev/erasure/v1"
MAX_RECEIPT_BYTES: Final = 16 * 1024 * 1024
_MAPPINGS: Final = ("manifest", "plan", "result", "root")
_TIMES: Final = frozenset({"requested_ms", "effective_ms", "fenced_until_ms", "keys_destroyed_ms", "completed_ms"})

Verdict = Literal["removed from live files", "kept", "destroyed (provider evidence)", "unverified", "pending"]


class RecordCheck(Protocol):
    """What can tell whether a receipt was issued, and before the end of its key: a verified audit log."""

    def require(self, said: Mapping[str, Any], retired: Succession | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Artefact:
    """What happened to one thing, what shows it, and what may remain."""

    artefact: str
    method: str
    verdict: Verdict
    evidence: str
    residual: str

    def to_json(self) -> dict[str, str]:
        return {
            "artefact": self.artefact,
            "method": self.method,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "residual": self.residual,
        }


def control_rows(rows: str, *, scrubbed: bool, residual: str) -> Artefact:
    """What became of ``rows`` of the control store. ``scrubbed``: whether the file was rewritten and its log emptied
    behind their deletion; where another process was reading it, their bytes are still there."""
    return Artefact(
        artefact=rows,
        method="delete, VACUUM, empty the write-ahead log",
        verdict="removed from live files" if scrubbed else "pending",
        evidence="rows deleted; "
        + ("file rewritten and log emptied" if scrubbed else "another process was reading the file"),
        residual=residual,
    )


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verified receipt: who signed it (hex of SHA-256 over the public key) and what it says.

    ``retired`` is the exchange that gave its key up since, if any, and ``anchored`` whether the audit log was seen to
    hold its record, from before that (:mod:`securevec.proof.anchoring`).
    """

    key_id: str
    statement: Mapping[str, Any]
    retired: Succession | None = None
    anchored: bool = False

    @property
    def predicate(self) -> Mapping[str, Any]:
        return dict(self.statement["predicate"])

    @property
    def artefacts(self) -> Sequence[Mapping[str, str]]:
        return list(self.predicate["artefacts"])


def public_key_id(public: bytes) -> str:
    """The DSSE ``keyid`` of a raw 32-byte Ed25519 public key."""
    return hashlib.sha256(public).hexdigest()


def statement(predicate: Mapping[str, object], *, manifest: bytes) -> dict[str, Any]:
    """The in-toto statement of a receipt. ``manifest`` is what was to be deleted; its digest is the subject."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {
                "name": f"erasure/{predicate['tenant']}/{predicate['job']}",
                "digest": {"sha256": hashlib.sha256(manifest).hexdigest()},
            }
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(predicate),
    }


def digest_of(said: Mapping[str, Any]) -> str:
    """Hex of SHA-256 over a statement without the entry that names its audit record, which holds this digest."""
    predicate = {name: value for name, value in said["predicate"].items() if name != "audit"}
    return hashlib.sha256(_payload({**said, "predicate": predicate})).hexdigest()


def issue(predicate: Mapping[str, object], *, manifest: bytes, key: SigningKey) -> bytes:
    """A signed receipt, as JSON bytes. Jobs end by :func:`securevec.proof.signing_off.sign_off`."""
    return sign(statement(predicate, manifest=manifest), key=key)


def sign(said: Mapping[str, Any], *, key: SigningKey) -> bytes:
    """The receipt of a statement, as JSON bytes."""
    payload = _payload(said)
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {
                "keyid": public_key_id(key.public),
                "sig": base64.b64encode(key.sign(_encoding(payload))).decode(),
            }
        ],
    }
    return orjson.dumps(envelope, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"


def read(data: bytes, *, public: bytes, chain: Keychain | None = None, log: RecordCheck | None = None) -> Receipt:
    """The receipt, if its signature by the pinned public key holds. Raises :class:`ReceiptInvalid`.

    The caller decides where the key comes from: a key shipped with the receipt proves nothing about its issuer.
    ``chain`` holds the pinned key and those that handed over to it, or that it handed over to: theirs are taken too.
    With ``log`` a receipt is refused unless its record there holds its digest and lies before its key was given up, if
    it was. Without, a receipt of a key that was given up is refused when it is dated later, and every one of a key that
    was compromised.
    """
    known = {public_key_id(key): key for key in (chain.keys if chain is not None else ())}
    if chain is not None and public_key_id(public) not in known:
        raise ReceiptInvalid("The exchanges of keys are not those of the pinned key.")
    known.setdefault(public_key_id(public), public)
    payload, signatures = _envelope(data)
    chosen = [(key_id, signature) for key_id, signature in signatures if key_id in known]
    if len(signatures) != 1 or len(chosen) != 1:
        raise ReceiptInvalid(
            "The receipt is not signed by the pinned key.",
            next_step="Check the fingerprint with whoever issued it, and get the exchanges of keys since: securevec "
            "keys export-public.",
        )
    key_id, signature = chosen[0]
    try:
        verify(known[key_id], signature, _encoding(payload))
    except CheckFailed as error:
        raise ReceiptInvalid("The receipt was changed after it was signed, or another key signed it.") from error
    said = _statement(payload)
    retired = chain.ended(known[key_id]) if chain is not None else None
    if log is not None:
        log.require(said, retired)
    elif retired is not None:
        _require_in_time(said["predicate"], retired)
    return Receipt(key_id, said, retired, anchored=log is not None)


def unverified(data: bytes) -> Mapping[str, Any]:
    """What a receipt says, its signature unchecked. Raises :class:`ReceiptInvalid` for what is no receipt."""
    payload, signatures = _envelope(data)
    if [len(signature) for _, signature in signatures] != [SIGNATURE_BYTES]:
        raise ReceiptInvalid("This file is not a securevec receipt.")
    return _statement(payload)


def _envelope(data: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The payload, and each signature with the id of its key. Raises :class:`ReceiptInvalid`."""
    if len(data) > MAX_RECEIPT_BYTES:
        raise ReceiptInvalid("This file is too large to be a receipt.")
    try:
        envelope: dict[str, Any] = orjson.loads(data)
        if envelope["payloadType"] != PAYLOAD_TYPE or set(envelope) != {"payloadType", "payload", "signatures"}:
            raise ReceiptInvalid("This file is not a securevec receipt.")
        payload = base64.b64decode(envelope["payload"], validate=True)
        signed = [(str(each["keyid"]), base64.b64decode(each["sig"], validate=True)) for each in envelope["signatures"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ReceiptInvalid("This file is not a securevec receipt.") from error
    return payload, signed


def _require_in_time(predicate: Mapping[str, Any], retired: Succession) -> None:
    completed = predicate.get("completed_ms")
    if type(completed) is not int or completed > retired.time_ms:
        what = "The receipt is signed with a key that had been given up before the receipt's own date."
    elif retired.compromised:
        what = "The receipt is signed with a key that was given up because others may have it."
    else:
        return
    raise ReceiptInvalid(what, next_step="Only the audit log can show that it is genuine: --audit-dir DIR")


def _statement(payload: bytes) -> dict[str, Any]:
    try:
        said: dict[str, Any] = orjson.loads(payload)
        known = said["_type"] == STATEMENT_TYPE and said["predicateType"] == PREDICATE_TYPE
        predicate: dict[str, Any] = dict(said["predicate"])
        # Whoever shows a receipt relies on these, also of one that nobody signed.
        shaped = _are_mappings(predicate["artefacts"], predicate.get("exceptions", []))
        shaped = shaped and _are_mappings([predicate[name] for name in _MAPPINGS if predicate.get(name) is not None])
        for name in _TIMES & predicate.keys():
            from_ms(predicate[name])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise ReceiptInvalid("The signed statement is not an erasure receipt.") from error
    if not known or not shaped:
        raise ReceiptInvalid("The signed statement is not an erasure receipt.")
    return said


def _are_mappings(*several: object) -> bool:
    """Whether each is a list of JSON objects."""
    return all(
        isinstance(each, list) and all(isinstance(item, dict) for item in cast("list[object]", each))
        for each in several
    )


def _payload(said: Mapping[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _encoding(payload: bytes) -> bytes:
    """DSSE pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
