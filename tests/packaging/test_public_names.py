"""Public is what ``__all__`` says, no more and no less."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import securevec
import securevec_adapters
import securevec_chroma
import securevec_qdrant

PACKAGES = ["securevec", "securevec_adapters", "securevec_chroma", "securevec_qdrant"] + [
    found.name for found in pkgutil.iter_modules(securevec.__path__, "securevec.") if found.ispkg
]


def _names(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", []))


def _order(name: str) -> tuple[int, str]:
    """The linter's order: constants, then classes, then the rest."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)


def test_a_name_comes_from_where_type_checkers_take_it() -> None:
    """The root is written twice: as imports for type checkers, and as a table that is looked into at run time."""
    read = ast.parse(Path(str(securevec.__file__)).read_text(encoding="utf-8"))
    (block,) = [node for node in read.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    told = {each.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for each in node.names}
    assert told == vars(securevec)["_PLACES"]
    assert sorted(told) == sorted(_names(securevec))


def test_a_name_that_is_not_there_is_an_attribute_error_and_every_one_is_offered() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = vars(securevec)["__getattr__"]("nothing")
    assert set(_names(securevec)) <= set(dir(securevec))


@pytest.mark.parametrize("module", ["securevec.files.worker", "securevec.files.row_worker"])
def test_a_process_that_reads_files_starts_without_store_keys_and_detector(module: str) -> None:
    script = f"import sys, {module}; print(*sorted(name for name in sys.modules if name.startswith('securevec.')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    loaded = done.stdout.split()
    assert {name.split(".")[1] for name in loaded} <= {"children", "errors", "files", "limits", "rows"}, loaded
    assert {name for name in loaded if ".rows." in name} <= {"securevec.rows.parquet"}, loaded


def test_the_root_exports_exactly_what_it_lists() -> None:
    listed = _names(securevec)
    importlib.import_module("securevec.store")  # so that the package has rooms that could be offered
    assert {"store", "keys"} <= vars(securevec).keys()
    assert {name for name in dir(securevec) if not name.startswith("__")} == set(listed), "what a prompt completes"
    public = {
        name
        for name, value in vars(securevec).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and name not in {"TYPE_CHECKING", "import_module"}
    }
    assert public <= set(listed), "reachable and not listed"
    for name in listed:
        assert getattr(securevec, name) is not None


@pytest.mark.parametrize("package", PACKAGES)
def test_lists_are_sorted_without_repeats_and_every_name_is_there(package: str) -> None:
    module = importlib.import_module(package)
    listed = _names(module)
    assert listed == sorted(set(listed), key=_order)
    for name in listed:
        assert hasattr(module, name), name


def test_the_example_of_the_readme_finds_its_names() -> None:
    wanted = {"Actor", "Embed", "F", "Filter", "Key", "Record", "Seal", "SecureStore", "SecurevecError", "Subject"}
    assert wanted <= set(_names(securevec))


def _rooms(package: ModuleType) -> set[str]:
    return {found.name for found in pkgutil.iter_modules(package.__path__)}


def test_an_adapter_exports_nothing_and_so_no_vendor_object() -> None:
    for package in (securevec_adapters, securevec_chroma, securevec_qdrant):
        assert [name for name in vars(package) if not name.startswith("_") and name not in _rooms(package)] == []
