"""Whether the audit log holds the record of a receipt, from before its key was given up.

A receipt's times and words are its signer's, and whoever has a copy of the key writes what he likes. What he cannot do
is put a record before a head that others hold. So a receipt holds if the audit record it names is the result of its
job, holds the digest of what the receipt says, and, when its key was given up, lies before the place where the log
handed over to the next key.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from securevec.audit import AuditReport, Succession, files
from securevec.audit.directory import WRITER
from securevec.audit.scan import parse_line
from securevec.errors import AuditUnavailable, ReceiptInvalid
from securevec.proof.receipt import digest_of

ACTIONS: Final[Mapping[str, str]] = {
    "tenant": "tenant.delete",
    "subject": "subject.erase",
    "retention": "retention.apply",
    "move": "tenant.promote",
}
"""Kinds of receipts whose action has another name than ``key.`` and the kind."""


class VerifiedLog:
    """An audit log that :func:`securevec.audit.verify_log` has just found whole."""

    def __init__(self, directory: Path, log_id: str, report: AuditReport) -> None:
        self._root, self._log_id, self._report = directory / log_id, log_id, report

    def require(self, said: Mapping[str, Any], retired: Succession | None) -> None:
        """Return if the receipt with this statement was recorded, and before its key was ``retired``.

        Raises :class:`ReceiptInvalid` and :class:`AuditUnavailable`.
        """
        named = said["predicate"].get("audit")
        place = cast("dict[str, object]", named) if isinstance(named, dict) else {}
        writer, index = place.get("writer"), place.get("index")
        if place.get("log") != self._log_id or not isinstance(writer, str) or type(index) is not int:
            raise ReceiptInvalid("The receipt names no record of this audit log.")
        if WRITER.match(writer) is None or index < 0:
            raise ReceiptInvalid("The receipt names no record of this audit log.")
        if retired is not None and index >= self._report.chain.limits[retired.number - 1].get(writer, 0):
            raise ReceiptInvalid(
                "The receipt is signed with a key that had been given up before: its audit record is a later one.",
                next_step="Whoever has a copy of the old key can sign such a receipt. Ask the issuer for one of today.",
            )
        record = self._record(writer, index)
        if not _is_result(record, said["predicate"]):
            raise ReceiptInvalid(
                "The audit record that the receipt names is of something else, or not in this copy of the log.",
                next_step="Get the issuer's audit directory of today. If it says so too, the receipt is forged.",
            )
        if record["unmapped"]["securevec"].get("detail", {}).get("receipt") != digest_of(said):
            raise ReceiptInvalid(
                "The audit log holds the digest of another receipt of this job: this one says something else.",
                next_step="Whoever has a copy of the key can sign such a receipt. Ask the issuer for the genuine one.",
            )

    def _record(self, writer: str, index: int) -> Mapping[str, Any]:
        path = self._root / writer
        try:
            for place, raw in enumerate(files.read_lines(path, files.segment_numbers(path))):
                if place == index:
                    return parse_line(raw) or {}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AuditUnavailable("The audit log cannot be read.") from error
        return {}


def _is_result(record: Mapping[str, Any], predicate: Mapping[str, Any]) -> bool:
    try:
        own, metadata = record["unmapped"]["securevec"], record["metadata"]
        return bool(
            own["job_id"] == predicate["job"]
            and (own["phase"], own["outcome"]) == ("result", "allowed")
            and metadata["tenant_uid"] == predicate["tenant"]
            and metadata["event_code"] == ACTIONS.get(predicate["kind"], f"key.{predicate['kind']}")
            and record["actor"]["user"]["uid"] == predicate["actor"]
        )
    except (KeyError, TypeError):
        return False
