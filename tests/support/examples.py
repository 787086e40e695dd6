"""The programs of ``examples/`` as modules, the way who copies them would have them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

EXAMPLES: Final = Path(__file__).parents[2] / "examples"


def example(folder: str, name: str) -> ModuleType:
    """Import ``examples/<folder>/<name>.py``."""
    path = EXAMPLES / folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"example_{folder}_{name}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    # Its annotations are strings; FastAPI and pydantic look their names up in the module.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
