"""Ingests or previews a file in a process of its own; prints the most memory it held: ``ROOT FILE preview|ingest``."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import securevec as sv
from securevec.testing.embedders import HashEmbedder

ACTOR = sv.Actor("svc:filer", purpose="tests")


class Line(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]


def peak_bytes() -> int:
    """The most memory this program held.

    Not ``ru_maxrss`` where there is /proc: a child that was started by a large process counts that one's memory as its
    own, since the figure outlives exec.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(each for each in status.read_text("ascii").splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    root, file, what = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    key = root / "keys" / "root.key"
    backend = "memory" if what == "preview" else "edge"
    with sv.SecureStore.open(root / "home", backend=backend, key_file=key, embedder=HashEmbedder()) as store:
        lines = store.tenant("acme", create=True, actor=ACTOR).collection(Line)
        if what == "preview":
            preview = lines.preview_files([file])
            done = {"rows": preview.new, "refused": sum(len(each.refused) for each in preview.files)}
        else:
            report = lines.ingest_files([file])
            done = {"rows": report.new, "refused": len(report.refused)}
    print(json.dumps({"peak": peak_bytes(), **done}))


if __name__ == "__main__":
    main()
