"""Tables of revision 0009 as SQLAlchemy Core. Imported by migrations and tests only, never on the way to a search.

The statements of the other files are standard SQL with the named or positional parameters of DB-API; a test prepares
each of them against these tables, and another holds these tables equal to what the migrations build.

Tables with a row for each record, or person, name tenants, collections, epochs and people by number (``numbers``).
"""

from __future__ import annotations

from securevec.control.schema import installation, lifetimes, people, records, tenants
from securevec.control.schema.metadata import metadata

__all__ = ["installation", "lifetimes", "metadata", "people", "records", "tenants"]
