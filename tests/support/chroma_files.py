"""Chroma's files in this process, opened with one place in them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from securevec.testing.conformance_case import SPEC, a_namespace
from securevec_chroma.persistent import ChromaPersistentBackend

PLACE = a_namespace("mine")


@contextmanager
def open_place(root: Path) -> Generator[ChromaPersistentBackend]:
    opened = ChromaPersistentBackend(root)
    opened.ensure(namespace=PLACE, spec=SPEC)
    try:
        yield opened
    finally:
        opened.close()
