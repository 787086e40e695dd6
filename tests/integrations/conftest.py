"""What the published suites of the frameworks need here: coroutine tests that run, and no telemetry."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

# Read when Haystack is first imported.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
os.environ["LANGSMITH_TRACING"] = "false"

if find_spec("haystack") is not None:
    # Haystack loads torch if it can, to place models that no test here has. Every worker would wait for it.
    with pytest.MonkeyPatch.context() as patch:
        if "torch" not in sys.modules:
            patch.setitem(sys.modules, "torch", None)  # None makes the import fail
        import_module("haystack.utils.device")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine. The suites' own plugin for it would be loaded for every test of the project."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
