"""Keys exchanged, as the open home offers it: root key, tenants' keys, data keys, and sealing anew. Wiring only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from functools import partial

from securevec.audit.event import Action
from securevec.audit.vocabulary import HEX32
from securevec.control.jobs import KEY_RECLOAK, KEY_REINDEX, KEY_RENEW, KEY_RESEAL, KEY_RESURROGATE
from securevec.errors import SecurevecError, UsageError
from securevec.guard import Admission, admit, settle_outbox
from securevec.jobs import Step as JobStep
from securevec.jobs import advance
from securevec.rekeying import recloak, reindex, renewing, reseal, resurrogate
from securevec.rekeying.recloak import Recloak, request_recloak
from securevec.rekeying.reindex import Reindex, request_reindex
from securevec.rekeying.renewing import Renewal, request_renewal
from securevec.rekeying.reseal import Reseal, request_reseal, result_of
from securevec.rekeying.resurrogate import Resurrogation, request_resurrogation
from securevec.store.lifetimes import require_collection
from securevec.store.machines import MACHINES
from securevec.store.open_home import INSTALLATION, OpenHome
from securevec.store.rootkeys import KEPT, RootRotation, rotate_root
from securevec.store.signingkey import SigningRotation, rotate_signing
from securevec.types import CollectionId, TenantId
from securevec.writing.report import Progress


class StoreKeys(OpenHome):
    """Rotation of keys. For the operator."""

    def rotate_root_key(self, *, keep: int = KEPT, step: Callable[[str], None] | None = None) -> RootRotation:
        """A new root key: the rows of the key store that stand under it are wrapped again, no data is touched.

        ``keep`` earlier root keys are kept for key-store backups of their time, older ones given up (docs/keys.md);
        ``step`` is told the name of each step as it begins. Interrupted, the same call finishes it.

        Raises :class:`KeyUnavailable` (another process rotates, or the provider does not answer), :class:`ConfigError`,
        :class:`PolicyDenied`.
        """
        with self._rotation(INSTALLATION, "root") as counts:
            done = rotate_root(self._runtime, keep=keep, step=step or (lambda name: None))
            counts["keys"] = done.rewrapped
        return done

    def rotate_signing_key(self, *, compromised: bool = False) -> SigningRotation:
        """A new key for receipts and for the heads of the audit log. Old receipts and heads stay verifiable.

        Both keys sign the exchange, which the audit log then holds: from there on every process signs with the new key.
        With ``compromised``, receipts of the old key are refused unless the audit log held their record before. Hand
        out the new public key afterwards. Interrupted, the same call finishes it.

        Raises :class:`KeyUnavailable`, :class:`AuditUnavailable`, :class:`UsageError` (an unfinished exchange without
        the mark was finished first), :class:`PolicyDenied`.
        """
        with self._rotation(INSTALLATION, "sign") as counts:
            done = rotate_signing(self._runtime, compromised=compromised)
            counts["keys"] = 1
        return done

    def rotate_tenant_keys(self, tenant: str | None = None, *, step: Callable[[int], None] | None = None) -> int:
        """A new KEK for one tenant, or for each: its keys are wrapped again, no data is touched. How many keys were.

        ``step`` is told how many tenants are done. Raises :class:`TenantNotFound`, :class:`KeyDestroyed`,
        :class:`PolicyDenied`.
        """
        keys = self._runtime.keys
        if tenant is not None:
            row = self._row(tenant)
            with self._rotation(row.tenant, "kek") as counts:
                counts["keys"] = keys.rotate_tenant(row.tenant)
            return counts["keys"]
        with self._rotation(INSTALLATION, "kek") as counts:
            tenants = keys.tenants_with_keys()
            counts["tenants"] = len(tenants)
            counts["keys"] = keys.rotate_tenants(tenants, step)
        return counts["keys"]

    def roll_keys(self, tenant: str, collection: str) -> int:
        """Seal what is written into a collection from now on under new data keys; how many were left behind.

        What is stored stays readable under the keys it was sealed with: mixed keys are the rule, not an exception. It
        bounds how much one key opens. Against somebody who has read a key, use :meth:`reseal`.

        Raises :class:`TenantNotFound`, :class:`CollectionNotFound`, :class:`TenantUnavailable`, :class:`PolicyDenied`.
        """
        admission, place = self._admit_rekeying(tenant, collection, "key.rotate")
        admission.note(phase="intent")
        try:
            keys = len(self._runtime.keys.roll(admission.scope.tenant, place))
            self._runtime.control.keep_key_changes()
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        admission.note(phase="result", counts={"keys": keys}, detail={"kind": "dek"})
        return keys

    def reseal(
        self,
        tenant: str,
        collection: str,
        *,
        key: str | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Reseal:
        """Seal every record of a collection anew under new data keys, then destroy the old ones.

        For a data key that somebody may have read, and to take stored records to another suite. Nothing is embedded
        again; record ids, expiry, holds and vectors stay. Readers and writers go on. A job that stops is carried on by
        :meth:`run_jobs`; no key dies before every live record was read back without it. Who copied a key and the files
        before can still open those copies.

        Args:
            tenant, collection: names.
            key: the id of a data key (32 hex digits, ``securevec keys list``): only its expiry bucket is sealed anew.
            progress: told how many records were looked at; it counts records where others count bytes.

        Raises:
            CheckFailed: the store does not show a record as it was written; no key was destroyed.
            UnknownKey, KeyDestroyed: ``key`` is none of the collection's.
            TenantNotFound, CollectionNotFound, TenantUnavailable, PolicyDenied, BackendError, UsageError.
        """
        if key is not None and not HEX32.match(key):
            raise UsageError("A key's id is 32 hexadecimal digits.", next_step="See: securevec keys list")
        admission, place = self._admit_rekeying(tenant, collection, "key.reseal")
        try:
            job = request_reseal(self._runtime, admission, place, key_id=key)
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        settle_outbox(self._runtime)
        machines: dict[str, JobStep] = {**MACHINES, KEY_RESEAL: partial(reseal.step, progress=progress)}
        return result_of(self._runtime, advance(self._runtime, machines, job))

    def reindex(self, tenant: str, collection: str, *, progress: Callable[[Progress], None] | None = None) -> Reindex:
        """Give a collection a new filter key, and make its filter tokens and the terms of hybrid search anew under it.

        For a filter key that somebody may have read: with it, values can be guessed and checked against stored tokens.
        Nothing is embedded or detected again; what the records say stays. Readers and writers go on: filters find
        tokens of either key until the old one is retired. A job that stops is carried on by :meth:`run_jobs`.

        Args:
            tenant, collection: names.
            progress: told how many records were looked at; it counts records where others count bytes.

        Raises:
            CheckFailed: the store does not show a record as it was written; the old key was not retired.
            TenantNotFound, CollectionNotFound, TenantUnavailable, PolicyDenied, BackendError.
        """
        admission, place = self._admit_rekeying(tenant, collection, "key.reindex")
        try:
            job = request_reindex(self._runtime, admission, place)
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        settle_outbox(self._runtime)
        machines: dict[str, JobStep] = {**MACHINES, KEY_REINDEX: partial(reindex.step, progress=progress)}
        return reindex.result_of(self._runtime, advance(self._runtime, machines, job))

    def recloak(self, tenant: str, collection: str, *, progress: Callable[[Progress], None] | None = None) -> Recloak:
        """Give a collection a new cloak key, bring every stored vector under it, and destroy the old key.

        For a cloak key that somebody may have read: with it, vectors in a copy of the store are those the model made.
        Nothing is embedded or detected again; what the records say stays, and likeness up to the rounding of float32.
        Readers and writers go on: searches ask under either key until the old one is destroyed. A job that stops is
        carried on by :meth:`run_jobs`.

        Args:
            tenant, collection: names.
            progress: told how many records were looked at; it counts records where others count bytes.

        Raises:
            UsageError: the collection was made without a cloak.
            CheckFailed: the store does not show a record as it was written; no key was destroyed.
            TenantNotFound, CollectionNotFound, TenantUnavailable, PolicyDenied, BackendError.
        """
        admission, place = self._admit_rekeying(tenant, collection, "key.recloak")
        try:
            job = request_recloak(self._runtime, admission, place)
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        settle_outbox(self._runtime)
        machines: dict[str, JobStep] = {**MACHINES, KEY_RECLOAK: partial(recloak.step, progress=progress)}
        return recloak.result_of(self._runtime, advance(self._runtime, machines, job))

    def renew_tokens(self, tenant: str, *, progress: Callable[[Progress], None] | None = None) -> Renewal:
        """Give a tenant a new version of its token key, and make every token of its people anew under it.

        For a token key that somebody may have read: with it, values can be guessed and checked against a copy of the
        control store, whom records are about and mention, who is held and who was erased. No value is needed, nothing
        is detected or embedded again, no surrogate changes. Readers and writers go on; whoever is at work in the moment
        of the switch gets :class:`TenantUnavailable` and tries again. A job that stops is carried on by
        :meth:`run_jobs`. Copies of the control store that were made before stay matched by the earlier versions.

        Args:
            tenant: its name.
            progress: told how many records of a collection were looked at; it counts records where others count bytes.

        Raises:
            ControlUnavailable: people of the tenant are being erased; the job goes on when that is done.
            CheckFailed: the store does not show a record as it was written; the tokens of the control store are new,
                those of sealed records are moved on when they are read, and the job goes on when that is put right.
            TenantNotFound, TenantUnavailable, PolicyDenied, BackendError.
        """
        row = self._row(tenant)
        scope = self._scope(row.tenant, self._actor)
        admission = admit(self._runtime, scope, permission="tenant.manage", action="key.renew")
        try:
            job = request_renewal(self._runtime, admission)
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        settle_outbox(self._runtime)
        machines: dict[str, JobStep] = {**MACHINES, KEY_RENEW: partial(renewing.step, progress=progress)}
        return renewing.result_of(self._runtime, advance(self._runtime, machines, job))

    def renew_surrogates(self, tenant: str, *, progress: Callable[[Progress], None] | None = None) -> Resurrogation:
        """Give a tenant a new version of its pseudonym key, and make every surrogate anew under it.

        For a pseudonym key that somebody may have read: with it, values can be guessed and their surrogates looked for
        in what searches show, in terms and in vectors. Surrogates come from the originals in the vault; texts are cut
        and embedded again with the collection's model. Record ids, expiry, tokens and originals stay. Readers and
        writers go on, and queries find records of either version; whoever is at work in the moment of the switch gets
        :class:`TenantUnavailable` and tries again. Held records keep what they say, and the job waits for their holds.
        A job that stops is carried on by :meth:`run_jobs`.

        Args:
            tenant: its name.
            progress: told how many records of a collection were looked at; it counts records where others count bytes.

        Raises:
            VaultDisabled: a collection has surrogates and keeps no originals; nothing was changed.
            LegalHold: everything else is done, and the job goes on when the hold has ended.
            ControlUnavailable: people of the tenant are being erased, or its tokens made anew; the job waits for that.
            CheckFailed: the store does not show a record as it was written; both versions stay in force.
            TenantNotFound, TenantUnavailable, CollectionMismatch, EmbedderError, PolicyDenied, BackendError.
        """
        row = self._row(tenant)
        scope = self._scope(row.tenant, self._actor)
        admission = admit(self._runtime, scope, permission="tenant.manage", action="key.resurrogate")
        try:
            job = request_resurrogation(self._runtime, admission)
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        settle_outbox(self._runtime)
        machines: dict[str, JobStep] = {**MACHINES, KEY_RESURROGATE: partial(resurrogate.step, progress=progress)}
        return resurrogate.result_of(self._runtime, advance(self._runtime, machines, job))

    @contextlib.contextmanager
    def _rotation(self, tenant: TenantId, kind: str) -> Generator[dict[str, int]]:
        """Admitted, and recorded as intent and result with the counts that are put in."""
        scope = self._scope(tenant, self._actor)
        states = ("active", "suspended")
        admission = admit(self._runtime, scope, permission="tenant.manage", action="key.rotate", states=states)
        admission.note(phase="intent", detail={"kind": kind})
        counts: dict[str, int] = {}
        try:
            yield counts
            self._runtime.control.keep_key_changes()
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        admission.note(phase="result", counts=counts, detail={"kind": kind})

    def _admit_rekeying(self, tenant: str, collection: str, action: Action) -> tuple[Admission, CollectionId]:
        row = self._row(tenant)
        place = require_collection(self._runtime, row.tenant, collection)
        scope = self._scope(row.tenant, self._actor)
        return admit(self._runtime, scope, permission="tenant.manage", action=action, collection=place), place
