"""A new signing key for the installation, in steps that the same call goes on with after a kill (docs/keys.md).

made          the new key lies in the key store, marked as the call said, and signs nothing yet
handed over   both keys signed the exchange, and the audit log holds it: from here on every process signs with the
              new key, and none with the old one
adopted       the key store calls the new key the signing key
destroyed     the old key is gone from the live files; its public key stays in the log
"""

from __future__ import annotations

from dataclasses import dataclass

from securevec.audit import Succession, read_chain
from securevec.audit.succession import Keychain
from securevec.errors import UsageError
from securevec.proof.receipt import public_key_id
from securevec.state.runtime import Runtime


@dataclass(frozen=True, slots=True)
class SigningRotation:
    """An exchange. ``key_id`` and ``retired`` are hex of SHA-256 over the public keys; ``number`` counts exchanges from
    1; ``evidence`` says what became of the old private key; ``resumed`` if an earlier attempt was finished."""

    key_id: str
    retired: str
    number: int
    compromised: bool
    evidence: str
    resumed: bool


def rotate_signing(runtime: Runtime, *, compromised: bool) -> SigningRotation:
    """Exchange the signing key, or finish an exchange that was cut short.

    Raises :class:`KeyUnavailable`, :class:`AuditUnavailable`: the same call goes on. :class:`UsageError` when an
    exchange that is to be finished gave another reason.
    """
    keys, audit = runtime.keys, runtime.audit
    chain = chain_of_home(runtime)
    keys.in_force(chain.current if chain.successions else None)  # of an attempt that was cut short after the log had it
    unfinished = keys.next_signing_key(make=False) is not None
    done = keys.destroy_retired_signing_keys()
    if done is not None and not unfinished:
        return _told(chain.successions[-1], done.evidence, compromised=compromised, resumed=True)
    new = keys.next_signing_key(make=True, compromised=compromised)
    assert new is not None  # make=True
    succession = audit.exchange_key(new.key, compromised=new.compromised)
    keys.in_force(succession.new)
    done = keys.destroy_retired_signing_keys()
    evidence = done.evidence if done is not None else "removed by another process"
    return _told(succession, evidence, compromised=compromised, resumed=unfinished)


def chain_of_home(runtime: Runtime) -> Keychain:
    """Every signing key this installation ever had. Raises :class:`AuditTampered` and :class:`AuditUnavailable`."""
    public = runtime.keys.signing_key().public
    return read_chain(runtime.home / "audit", log_id=runtime.installation_id, pinned=public)


def _told(succession: Succession, evidence: str, *, compromised: bool, resumed: bool) -> SigningRotation:
    if compromised and not succession.compromised:
        raise UsageError(
            "An exchange that had begun without --compromised was finished first; the mark is not added later.",
            next_step="Run the same again: the key in force now is given up, and marked.",
        )
    return SigningRotation(
        public_key_id(succession.new),
        public_key_id(succession.old),
        succession.number,
        succession.compromised,
        evidence,
        resumed,
    )
