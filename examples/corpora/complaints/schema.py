"""What a complaints register keeps of a row. Every column of the file that is not named here is dropped."""

from datetime import datetime

import securevec as sv


class Complaint(sv.Record):
    """One row of the register."""

    complaint_id: sv.Key[str]
    customer: sv.Subject[str]  # whom it is about: tokenized, erasable
    summary: sv.Embed[str]  # anonymized, embedded, sealed
    resolution: sv.Seal[str | None] = None  # sealed, never embedded
    channel: sv.Filter[str]  # the store may read this one
    status: sv.Filter[str]
    received: sv.Filter[datetime]
