"""``jobs list|show|run|retry|cancel``: deletions, erasures and retention that are under way, and those done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.commands.receipts import require_new
from securevec.cli.output import moment, pairs, table
from securevec.cli.session import Session
from securevec.errors import DeletionIncomplete, UsageError

if TYPE_CHECKING:
    from securevec.control.rows import JobRow

_PAUSE_S = 1.0


def register(group: Group) -> None:
    group.command("list")(list_jobs)
    group.command("show")(show)
    group.command("run")(run)
    group.command("retry")(retry)
    group.command("cancel")(cancel)


def list_jobs(
    session: Session, open_only: Annotated[bool, typer.Option("--open", help="Only those not done.")] = False
) -> None:
    """Jobs, oldest first."""
    session.require_manager()
    jobs = [_document(job) for job in session.store.runtime.control.jobs(open_only=open_only)]
    rows = [(job["job"], job["kind"], job["state"], job["created"], job["error"] or "-") for job in jobs]
    session.out.show(jobs, table(["job", "kind", "state", "created", "last error"], rows))


def show(
    session: Session,
    job_id: Annotated[str, typer.Argument(metavar="JOB", show_default=False)],
    receipt: Annotated[
        Path | None, typer.Option("--receipt", metavar="FILE", help="Write the job's receipt here.")
    ] = None,
) -> None:
    """One job: its steps and when each was reached."""
    session.require_manager()
    control = session.store.runtime.control
    job = control.job(job_id)
    if job is None:
        raise UsageError("There is no such job.", next_step="See: securevec jobs list")
    steps = [{"step": step.step, "state": step.state, "at": moment(step.at_ms)} for step in control.job_steps(job_id)]
    shown = table([">step", "state", "at"], [(step["step"], step["state"], step["at"]) for step in steps])
    document = _document(job)
    session.out.show({**document, "steps": steps}, pairs(document), "", shown)
    if receipt is None:
        return
    if job.receipt is None:
        raise DeletionIncomplete("The job has no receipt yet.", job_id=job_id, next_step="Run: securevec jobs run")
    require_new(receipt)
    receipt.write_bytes(job.receipt)


def run(
    session: Session,
    once: Annotated[
        bool, typer.Option("--once", help="One pass, or passes for --wait SECONDS; exit 5 when something is left.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on for good; stop it with an interrupt.")] = False,
) -> None:
    """Carry unfinished jobs on. Without ``--once`` it goes on until none is left."""
    from securevec.state.engine import PATIENCE

    if once and watch:
        raise UsageError("Either --once or --watch.")
    session.frees = True
    session.require_manager()
    patience = PATIENCE.get()
    while watch:
        for result in session.store.run_jobs():
            session.out.say(f"{result.job_id} {result.state} {result.waiting_for}".rstrip())
        time.sleep(_PAUSE_S)
    results = session.store.run_jobs()
    while any(result.receipt is None for result in results):
        if not once:
            time.sleep(_PAUSE_S)
        elif patience is None or not patience.wait("Jobs are not done.", pause=_PAUSE_S):
            break
        results = session.store.run_jobs() or results
        if not session.store.runtime.control.jobs(open_only=True):
            break
    if patience is not None:
        patience.over()
    document = [
        {"job": result.job_id, "state": result.state, "waiting_for": result.waiting_for or None} for result in results
    ]
    rows = [(result.job_id, result.state, result.waiting_for or "-") for result in results]
    session.out.show(document, table(["job", "state", "waiting for"], rows) if rows else "nothing to do")
    left = session.store.runtime.control.jobs(open_only=True)
    if left:
        raise DeletionIncomplete(
            f"{len(left)} jobs are not done.",
            job_id=left[0].job_id,
            next_step="The process that holds the engine finishes them.",
        )


def retry(session: Session, job_id: Annotated[str, typer.Argument(metavar="JOB", show_default=False)]) -> None:
    """Carry one job on now, and say what stops it."""
    session.frees = True
    session.require_manager()
    result = session.store.run_job(job_id)
    document = {"job": result.job_id, "state": result.state, "waiting_for": result.waiting_for or None}
    session.out.show(document, pairs(document))
    if result.state != "cancelled":
        result.raise_if_incomplete()


def cancel(session: Session, job_id: Annotated[str, typer.Argument(metavar="JOB", show_default=False)]) -> None:
    """Take back a retention job that has not begun, or a move that has not switched.

    Deletions and erasures are in force once accepted.
    """
    session.require_manager()
    session.store.cancel_job(job_id)
    session.out.show({"job": job_id, "state": "cancelled"}, "cancelled")


def _document(job: JobRow) -> dict[str, Any]:
    return {
        "job": job.job_id,
        "kind": job.kind,
        "tenant_id": job.tenant,
        "state": job.state,
        "created": moment(job.created_ms),
        "updated": moment(job.updated_ms),
        "error": job.error or None,
        "receipt": job.receipt is not None,
    }
