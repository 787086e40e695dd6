"""A process that makes or restores a backup and dies in the middle of it (see crash_child).

order    {"work": "create" | "restore", "home", "key_file", "backup", "ledger", "into", "journal", "trap"}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import securevec.backup.create as creating
import securevec.backup.replay as replaying
import securevec.backup.restore as restoring
from securevec.backup import Newer, create_backup, files, restore_backup
from securevec.control.store import ControlStore
from securevec.keys.keyring import KeyRing
from securevec.state import home as homes
from securevec.testing.embedders import HashEmbedder
from securevec_qdrant.edge import EdgeBackend
from tests.support.crash_child import nursery, open_home
from tests.support.dying import die_at

CREATE: Final[dict[str, tuple[Any, str, int]]] = {
    "begin": (files, "begun", 1),
    "mark": (files, "_locked", 1),
    "copy shard": (EdgeBackend, "copy_files", 1),
    "copy control": (creating, "copy_control", 1),
    "copy audit": (creating, "copy_log", 1),
    "copy keys": (creating, "copy_keys", 1),
    "inventory": (files, "inventory", 3),
    "finish": (files, "finish", 1),
    # The manifest in each part.
    "write": (files, "write", 3),
}
"""Steps of making a backup, and how often each is called."""

RESTORE: Final[dict[str, tuple[Any, str, int]]] = {
    "prepare": (homes, "prepare_restore", 1),
    "copy": (files, "copy", 3),
    "manifest": (restoring, "open_manifest", 1),
    "audit": (restoring, "verify_log", 1),
    "ledger": (restoring, "open_ledger", 1),
    "open": (restoring, "open_runtime", 1),
    "destroy keys": (KeyRing, "destroy_keys", 1),
    "lay down": (ControlStore, "lay_down_authority", 1),
    "delete tenant": (ControlStore, "replay_tenant_deletion", 1),
    "delete records": (replaying, "remove_batch", 1),
    "erase": (ControlStore, "begin_job", 1),
    "advance": (replaying, "advance", 2),
    "authority": (ControlStore, "take_authority", 1),
    "grants": (ControlStore, "keep_grants", 1),
    "finish": (homes, "finish_restore", 1),
    # The mark, and VERSION.
    "write": (homes, "_write", 2),
}


def do(order: dict[str, Any], say: Callable[[str], None]) -> None:
    steps = CREATE if order["work"] == "create" else RESTORE
    if order["work"] == "create":
        with open_home(order["home"], order["key_file"]) as store:
            store.runtime.backend()
            _arm(steps, order["trap"])
            say("begin")
            create_backup(store, order["backup"])
    else:
        _arm(steps, order["trap"])
        say("begin")
        restore_backup(
            order["backup"],
            order["into"],
            newer=Newer(tombstones=order["ledger"]),
            key_file=order["key_file"],
            embedder=HashEmbedder(max_tokens=32),
        )
    say("done")


def _arm(steps: dict[str, tuple[Any, str, int]], trap: list[Any] | None) -> None:
    if trap:
        owner, name, _ = steps[trap[0]]
        die_at(owner, name, trap[1], trap[2])


if __name__ == "__main__":
    nursery(do)
