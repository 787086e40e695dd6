"""A copy of ``keys.db`` as of one moment, for a backup.

It holds wrapped keys, so it revives what is shredded later, for whoever has the root key too: keep it apart from the
data, and not longer than you want a shred to take (docs/threat-model.md, P5).
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from securevec.errors import KeyUnavailable
from securevec.keys.keyfile import BUSY_MS, FILE_NAME


def copy_keys(directory: Path, target: Path) -> None:
    """Copy the key store in ``directory`` (``home/keys``) into the new directory ``target`` (0700, its file 0600).

    Raises :class:`KeyUnavailable` when it stays busy or does not answer.
    """
    try:
        target.mkdir(mode=0o700)
        path = target / FILE_NAME
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        uri = f"{(directory / FILE_NAME).absolute().as_uri()}?mode=ro"
        reader = sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            writer = sqlite3.connect(path, isolation_level=None)
            try:
                reader.backup(writer)
            finally:
                writer.close()
        finally:
            reader.close()
    except (OSError, sqlite3.Error) as error:
        raise KeyUnavailable(
            "The key store could not be copied.", next_step="Wait until it is free, and check the disk."
        ) from error
