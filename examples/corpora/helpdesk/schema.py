"""What a help desk keeps of a ticket. Every column of the files that is not named here is dropped."""

from datetime import datetime

import securevec as sv


class Ticket(sv.Record):
    """One ticket of a patient desk."""

    id: sv.Key[str]
    customer: sv.Subject[str]  # whom it is about: tokenized, erasable
    body: sv.Embed[str]  # anonymized, embedded, sealed
    notes: sv.Seal[str | None] = None  # sealed, never embedded
    status: sv.Filter[str]  # the store may read this one
    opened: sv.Filter[datetime]
