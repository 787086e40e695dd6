"""Backups of a home: made while it is in use, verified where they lie, restored without what was deleted since.

Three parts, so that the key store can be kept elsewhere and shorter: ``data`` (the engine's files), ``control``
(control store and audit log), ``keys``. See docs/formats.md section 11 and docs/threat-model.md, P5.
"""

from securevec.backup.create import BackupReport, create_backup
from securevec.backup.manifest import Manifest
from securevec.backup.replay import Replayed
from securevec.backup.restore import Newer, RestoreReport, restore_backup
from securevec.backup.tombstones import export_tombstones
from securevec.backup.verify import Verification, verify_backup

__all__ = [
    "BackupReport",
    "Manifest",
    "Newer",
    "Replayed",
    "RestoreReport",
    "Verification",
    "create_backup",
    "export_tombstones",
    "restore_backup",
    "verify_backup",
]
