"""The control store room: what the installation knows about tenants, collections, records and work in progress.

One SQLite file, ``control.db``, shared by every process on the home. It holds no name, record id or value in clear:
names are sealed by the caller, records appear as record refs, subjects as tokens, actors as pseudonyms.

Where to look: ``rows`` (what comes out), ``store`` (the object others hold), ``batches`` (the state machine that makes
replacement atomic), ``hot`` (what every search asks), ``database`` (connections and transactions), ``schema`` and
``migrations`` (tables).
"""

from securevec.control.store import ControlStore

__all__ = ["ControlStore"]
