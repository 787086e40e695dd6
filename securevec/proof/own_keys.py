"""What a receipt says of the keys that removed records had of their own (``key_scope="document"``).

Each died when its record's points were removed. Here their removal from the key store's files is shown, once for all of
them: rewriting the file for every record would cost more than the record did.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from securevec.control.rows import JobRow
from securevec.proof.receipt import Artefact
from securevec.proof.residue import refuse_residue
from securevec.proof.shredding import in_backups, root_of
from securevec.state.runtime import Runtime


def swept(runtime: Runtime, job: JobRow) -> dict[str, Any]:
    """How many of the job's generations are gone with their keys, and on what evidence; empty where records have none.

    Raises :class:`KeyUnavailable`; the same step continues.
    """
    if not runtime.keys.has_documents(job.tenant):
        return {}
    items = runtime.control.job_items(job.job_id)
    alive = runtime.keys.documents_alive(job.tenant, [(item.ref, item.generation) for item in items])
    kept = sum(item.ref in alive for item in items)
    evidence = runtime.keys.sweep_documents(job.tenant, partial(refuse_residue, runtime.home))
    return {"gone": len(items) - kept, "kept": kept, "evidence": evidence, "root": root_of(runtime)}


def artefact(said: Mapping[str, Any]) -> Artefact:
    kept = f"; {said['kept']} records of the list are there, with their keys" if said["kept"] else ""
    return Artefact(
        artefact="keys of single records",
        method="cryptographic erase (NIST SP 800-88r2): rows deleted as each record was, VACUUM",
        verdict="removed from live files",
        evidence=f"of {said['gone']} generations none has a key of its own left; {said['evidence']}{kept}",
        residual=in_backups(said["root"]),
    )
