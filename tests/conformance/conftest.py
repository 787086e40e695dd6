"""The suite is shipped code, so pytest must be told to explain its assertions."""

from __future__ import annotations

import pytest

for part in ("case", "isolation", "reads", "writes"):
    pytest.register_assert_rewrite(f"securevec.testing.conformance_{part}")
