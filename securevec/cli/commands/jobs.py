"""``jobs list|show|run|retry|cancel``: deletions, erasures and retention that are under way, and those done."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.named import require_new
from securevec.cli.output import moment, pairs, table
from securevec.cli.session import Session
from securevec.errors import DeletionIncomplete, UsageError

if TYPE_CHECKING:
    from securevec.control.rows import JobRow
    from securevec.jobs import JobResult
    from securevec.state.runtime import Runtime

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
    failing = any(job["error"] for job in jobs)
    rows = [
        (job["job"], job["kind"], job["state"], job["created"].partition("T")[0], *([job["error"] or "-"] * failing))
        for job in jobs
    ]
    session.out.show(jobs, table(["job", "kind", "state", "created", *["last error"] * failing], rows))


def show(
    session: Session,
    job_id: Annotated[str, typer.Argument(metavar="JOB", show_default=False)],
    receipt: Annotated[
        Path | None, typer.Option("--receipt", metavar="FILE", help="Write the job's receipt here.")
    ] = None,
) -> None:
    """One job: its steps and when each was reached."""
    require_new(receipt)
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
    from securevec.newfile import write_file

    if job.receipt is None:
        raise DeletionIncomplete("The job has no receipt yet.", job_id=job_id, next_step="Run: securevec jobs run")
    write_file(receipt, job.receipt, what="receipt")


def run(
    session: Session,
    once: Annotated[
        bool, typer.Option("--once", help="One pass, or passes for --wait SECONDS; exit 5 when something is left.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on for good; stop it with an interrupt.")] = False,
) -> None:
    """Carry unfinished jobs on, until none can go on. What waits for a legal hold or a minimum is left.

    A job that fails is tried again after longer and longer pauses, up to 5 minutes.
    """
    if once and watch:
        raise UsageError("Either --once or --watch.")
    session.frees = True
    session.require_manager()
    runtime = session.store.runtime
    results = _carry_on(session, once=once, watch=watch)
    document = [_carried(runtime, result) for result in results]
    rows = [(each["job"], each["state"], each["waiting_for"] or "-") for each in document]
    session.out.show(document, table(["job", "state", "waiting for"], rows) if rows else "nothing to do")
    left = runtime.control.jobs(open_only=True)
    if left:
        raise _not_done(left, {result.waiting_for for result in results})


def _carry_on(session: Session, *, once: bool, watch: bool) -> list[JobResult]:
    """The last result of every job that was tried."""
    from securevec.jobs import FOR_PEOPLE, Pauses, run_pending
    from securevec.state.engine import PATIENCE
    from securevec.store.machines import MACHINES

    runtime, pauses, patience = session.store.runtime, Pauses(), PATIENCE.get()
    results: dict[str, JobResult] = {}
    try:
        while True:
            carried = run_pending(runtime, MACHINES, due=pauses.due)
            pauses.note(carried)
            results |= {result.job_id: result for result in carried}
            left = [job.job_id for job in runtime.control.jobs(open_only=True)]
            if watch:
                for result in carried:
                    session.out.say(f"{result.job_id} {result.state} {result.waiting_for}".rstrip())
                time.sleep(_PAUSE_S)
                continue
            if all(job in results and results[job].waiting_for in FOR_PEOPLE for job in left):
                break
            if not once:
                session.out.waiting(f"Waiting for jobs: {len(left)} not done.")
                time.sleep(_PAUSE_S)
            elif patience is None or not patience.wait("Jobs are not done.", pause=_PAUSE_S):
                break
    finally:
        session.out.waiting("")
    return list(results.values())


def _carried(runtime: Runtime, result: JobResult) -> dict[str, Any]:
    """Where a job stands by now: another process may have ended it since it was tried here."""
    job = runtime.control.job(result.job_id)
    if job is None or job.closed:
        return {"job": result.job_id, "state": result.state if job is None else job.state, "waiting_for": None}
    return {"job": result.job_id, "state": job.state, "waiting_for": result.waiting_for or None}


def _not_done(left: Sequence[JobRow], reasons: Collection[str]) -> DeletionIncomplete:
    from securevec.jobs import ENGINE, FOR_PEOPLE

    if FOR_PEOPLE.intersection(reasons):
        step = "A legal hold or a statutory minimum keeps what they are about. See: securevec hold list TENANT"
    elif ENGINE in reasons:
        step = "The process that holds the engine finishes them."
    else:
        step = "What stopped each of them: securevec jobs list --open"
    return DeletionIncomplete(f"Not done: {len(left)} of the jobs.", job_id=left[0].job_id, next_step=step)


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
    """Take back a retention job or a move. One that has not begun, or not switched yet.

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
