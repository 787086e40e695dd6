"""Alembic environment of the control store; shipped in the wheel and run by :mod:`securevec.control.migrate`."""
