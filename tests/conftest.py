"""Hypothesis profiles. The default is the same every time it runs; ``soak`` searches further, at random."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize=True, max_examples=60)
settings.register_profile("soak", deadline=None, max_examples=5_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# The conformance suite is shipped code, so pytest must be told to explain its assertions: here, before any test imports
# it.
for part in ("case", "isolation", "reads", "writes"):
    pytest.register_assert_rewrite(f"securevec.testing.conformance_{part}")
