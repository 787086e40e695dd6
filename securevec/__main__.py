"""The command line as ``python -m securevec``, for a machine whose path does not lead to the script."""

from __future__ import annotations

from securevec.cli.main import run

if __name__ == "__main__":
    run()
