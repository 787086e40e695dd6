"""Data keys, as the open home offers them: new ones for what is written from now on, and sealing anew. Wiring only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from securevec.audit.event import Action
from securevec.audit.vocabulary import HEX32
from securevec.control.jobs import KEY_REINDEX, KEY_RESEAL
from securevec.errors import SecurevecError, UsageError
from securevec.guard import Admission, admit, settle_outbox
from securevec.report import Progress
from securevec.retention.jobs import Step, advance
from securevec.store.lifetimes import require_collection
from securevec.store.machines import MACHINES
from securevec.store.open_home import OpenHome
from securevec.types import CollectionId
from securevec.verbs import reindex, reseal
from securevec.verbs.reindex import Reindex, request_reindex
from securevec.verbs.reseal import Reseal, request_reseal, result_of


class StoreKeys(OpenHome):
    """The data keys of collections. For the operator."""

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
        machines: dict[str, Step] = {**MACHINES, KEY_RESEAL: partial(reseal.step, progress=progress)}
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
        machines: dict[str, Step] = {**MACHINES, KEY_REINDEX: partial(reindex.step, progress=progress)}
        return reindex.result_of(self._runtime, advance(self._runtime, machines, job))

    def _admit_rekeying(self, tenant: str, collection: str, action: Action) -> tuple[Admission, CollectionId]:
        row = self._row(tenant)
        place = require_collection(self._runtime, row.tenant, collection)
        scope = self._scope(row.tenant, self._actor)
        return admit(self._runtime, scope, permission="tenant.manage", action=action, collection=place), place
