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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak": peak, **done}))


if __name__ == "__main__":
    main()
