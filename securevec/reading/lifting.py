"""Tokens of a stored record moved to the tenant's newest token key, when it was sealed under an older one.

A body says of which version of the key its tokens are. They are moved to the version in force as soon as the body is
read, so nothing above this room compares tokens of two versions, and a record need not be rewritten to be found, hidden
or erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from securevec.crypto.derive import lift
from securevec.keys.keyring import KeyRing
from securevec.keys.keyview import KeyView
from securevec.points.body import Body
from securevec.types import Span, TenantId, Token


def lifted(keys: KeyRing | KeyView, tenant: TenantId, body: Body, version: int) -> Body:
    """The body with its tokens of this ``version`` of the tenant's token key, or as it is when they are not older.

    Raises :class:`KeyRejected` when a version is missing in the key store.
    """
    if body.tokens >= version:
        return body
    lifts = keys.token_lifts(tenant, body.tokens, version)
    known: dict[Token, Token] = {}

    def moved(token: Token) -> Token:
        if token not in known:
            known[token] = lift(lifts, token)
        return known[token]

    def spans(listed: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(replace(span, token=moved(span.token)) for span in listed)

    return body._replace(
        about=tuple(map(moved, body.about)),
        mentions=tuple(map(moved, body.mentions)),
        field_spans=None
        if body.field_spans is None
        else {name: spans(each) for name, each in body.field_spans.items()},
        spans=None if body.spans is None else spans(body.spans),
        tokens=version,
    )
