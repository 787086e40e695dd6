"""Bring a folder of documents or a file of rows into a collection, and write down what became of it.

    python pipeline.py ./letters --to acme/letters --home ./home --report report.json
    python pipeline.py complaints.csv --to acme/complaints --home ./home --report report.json

A folder goes into a collection of ``securevec.Page``; rows go into one of ``Complaint``, below, which is the place to
say what you keep. When the outcome of a write is unknown (a server stopped answering), the same ingest is repeated: it
first finds out what the write did, and passes over what is stored. Exit codes: 0 all is in; 1 all is in but the rows
and files that the report names; 2 the source or the collection is wrong; 3 refused; 4 something needed is not there;
5 it is still unknown what the last write did.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import securevec as sv

ATTEMPTS = 5
FIRST_PAUSE_S = 2.0


class Complaint(sv.Record):
    """What is kept of a row. Every column that is not named here is dropped before anything else happens."""

    complaint_id: sv.Key[str]
    customer: sv.Subject[str]
    summary: sv.Embed[str]
    resolution: sv.Seal[str | None] = None
    status: sv.Filter[str]
    received: sv.Filter[datetime]


def ingest(
    collection: sv.Collection[Any], source: Path, *, pause: Callable[[float], None] = time.sleep
) -> tuple[sv.IngestReport, int]:
    """The report of the attempt that went through, and how many there were.

    Only an unknown outcome is tried again. Everything else that goes wrong would go wrong again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return collection.ingest(source), attempt
        except (sv.errors.OutcomeUnknown, sv.errors.WriteNotAcknowledged):
            if attempt == ATTEMPTS:
                raise
            pause(FIRST_PAUSE_S * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


def describe(report: sv.IngestReport, attempts: int) -> dict[str, Any]:
    """The report as JSON. It names rows, fields and files, and repeats no content."""
    files = report.refused_files if isinstance(report, sv.FilesReport) else ()
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "attempts": attempts,
        "new": report.new,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "replaced": dict(report.redactions),
        "refused_rows": [{"row": row.row, "field": row.field, "reason": row.reason} for row in report.refused],
        "refused_files": [{"path": file.path, "error": file.error, "reason": file.reason} for file in files],
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Ingest a folder or a file of rows.")
    parser.add_argument("source", type=Path)
    parser.add_argument("--to", required=True, metavar="TENANT/COLLECTION")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--key-file", type=Path)
    parser.add_argument("--actor", default="svc:pipeline")
    parser.add_argument("--retention", default="365d")
    parser.add_argument("--report", type=Path, required=True)
    options = parser.parse_args(arguments)
    tenant, _, name = options.to.partition("/")
    record = sv.Page if options.source.is_dir() else Complaint
    try:
        with sv.SecureStore.open(options.home, key_file=options.key_file, create=False) as store:
            actor = sv.Actor(options.actor, purpose="nightly ingest")
            collection = store.tenant(tenant, actor=actor).collection(record, name=name, retention=options.retention)
            report, attempts = ingest(collection, options.source)
    except sv.SecurevecError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    document = describe(report, attempts)
    options.report.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(report)
    return 1 if document["refused_rows"] or document["refused_files"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
