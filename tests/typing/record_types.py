"""Checked by mypy and pyright only, never run: markers change nothing of a field's type."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, assert_type
from uuid import UUID

import securevec as sv
from securevec.rows.minimize import rebuild
from securevec.rows.validate import validate
from securevec.schema import marks


class Ticket(sv.Record):
    id: sv.Key[str]
    customer: sv.Subject[str]
    body: sv.Embed[str]
    notes: sv.Seal[str | None] = None
    due: sv.Seal[date | None] = None
    status: sv.Filter[str]
    opened: sv.Filter[datetime]
    owner: Annotated[UUID | None, marks.Filter(mode="token")] = None
    original: Annotated[str, marks.Seal(keep="original")] = ""


def fields_keep_their_types(ticket: Ticket) -> None:
    assert_type(ticket.id, str)
    assert_type(ticket.customer, str)
    assert_type(ticket.body, str)
    assert_type(ticket.notes, str | None)
    assert_type(ticket.due, date | None)
    assert_type(ticket.status, str)
    assert_type(ticket.opened, datetime)
    assert_type(ticket.owner, UUID | None)
    assert_type(ticket.original, str)


def records_are_built_with_typed_arguments(now: datetime) -> None:
    assert_type(Ticket(id="a", customer="c", body="b", status="open", opened=now), Ticket)
    Ticket(id="a", customer="c", body="b", status="open", opened=now, notes=None)
    Ticket(id=3, customer="c", body="b", status="open", opened=now)  # pyright: ignore[reportArgumentType]  # the id is text
    Ticket(customer="c", body="b", status="open", opened=now)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # the id is required


def records_are_frozen(ticket: Ticket) -> None:
    ticket.body = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # a record does not change


def checked_and_rebuilt_records_are_of_the_class(raw: dict[str, object]) -> None:
    assert_type(validate(Ticket, raw), Ticket)
    assert_type(rebuild(Ticket, raw), Ticket)


def parameters_are_closed_sets() -> None:
    marks.Filter(mode="range")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # not a mode of this release
    marks.Embed(keep="all")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # not a way to keep
