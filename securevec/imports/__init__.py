"""Collections that were filled without securevec: looked into (``inspect``), and carried over (``import``).

Reads a :class:`securevec.foreign.ForeignStore`, writes through the ingest journey, and never changes the source.
"""
