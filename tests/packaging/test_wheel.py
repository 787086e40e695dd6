"""What is built: the wheel holds every file of ours and nothing else, by way of the source distribution."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
CORPUS: Final = "examples/corpora/helpdesk"
IN_WHEEL: Final = "securevec/cli/corpora/helpdesk"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist made from the checkout and the wheel made from that sdist."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(built.glob("*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


def _files(folder: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_installs_our_four_names_and_no_other(wheel: zipfile.ZipFile) -> None:
    names = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {
        "securevec",
        "securevec_adapters",
        "securevec_chroma",
        "securevec_qdrant",
    }


def test_every_file_of_the_checkout_is_in_the_wheel_and_none_besides(wheel: zipfile.ZipFile) -> None:
    core = _files("securevec")
    # Every folder under backends/, so that an adapter missing from the packages list is noticed.
    adapters = {name.removeprefix("backends/") for name in _files("backends")}
    corpus = {name.replace(CORPUS, IN_WHEEL) for name in _files(CORPUS)}
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == core | adapters | corpus


def test_detection_adds_at_most_six_megabytes(wheel: zipfile.ZipFile) -> None:
    rules_and_weights = [entry for entry in wheel.infolist() if entry.filename.startswith("securevec/anonymize/")]
    # What it had before there was a model was 119,509 bytes.
    assert 4_000_000 < sum(entry.compress_size for entry in rules_and_weights) <= 6_119_509


def test_data_that_only_runs_with_its_files_is_packed(wheel: zipfile.ZipFile) -> None:
    packed = wheel.namelist()
    assert {
        f"{name}/py.typed" for name in ("securevec", "securevec_adapters", "securevec_chroma", "securevec_qdrant")
    } <= set(packed)
    assert any(name.startswith("securevec/anonymize/rules/") and name.endswith(".toml") for name in packed)
    assert any(name.startswith("securevec/anonymize/data/") for name in packed)
    assert any(name.startswith("securevec/control/migrations/versions/") for name in packed)
    assert f"{IN_WHEEL}/larkfield.jsonl" in packed


def test_the_source_distribution_can_be_checked_by_who_gets_it(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers()}
    wanted = {
        "Makefile",
        "constraints.txt",
        "LICENSE",
        "README.md",
        "docs/formats.md",
        "examples/corpora/make_helpdesk.py",
    }
    assert wanted <= names
    assert {name for name in _files("tests") if name.endswith(".py")} <= names


def test_entry_points_name_files_that_are_packed(wheel: zipfile.ZipFile) -> None:
    listed = ConfigParser(delimiters=("=",))
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    listed.read_string(wheel.read(name).decode())
    assert listed["console_scripts"]["securevec"] == "securevec.cli.main:run"
    packed = set(wheel.namelist())
    for section in listed.sections():
        for target in listed[section].values():
            module = target.partition(":")[0].replace(".", "/")
            assert {f"{module}.py", f"{module}/__init__.py"} & packed, target


def test_metadata_names_no_place_to_install_from_and_no_bound_on_cryptography(metadata: Message) -> None:
    required: list[str] = metadata.get_all("Requires-Dist", [])
    assert required
    # A direct reference would be fetched from a place that nobody vetted.
    assert not [line for line in required if "@" in line or "://" in line]
    bound = [line for line in required if line.startswith("cryptography>")]
    assert len(bound) == 1
    assert "<" not in bound[0], "presidio-anonymizer pins one major at a time; we must not fight it"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_package_runs_from_the_wheel_alone(built: Path, tmp_path: Path) -> None:
    where = tmp_path / "site"
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        archive.extractall(where)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import securevec, securevec_adapters, securevec_chroma, securevec_qdrant\n"
        "from importlib.resources import files\n"
        "assert securevec.__file__.startswith(sys.argv[1]), securevec.__file__\n"
        "for package in (securevec_adapters, securevec_chroma, securevec_qdrant):\n"
        "    assert package.__file__.startswith(sys.argv[1])\n"
        "import securevec.cli.app\n"
        "assert all(hasattr(securevec, name) for name in securevec.__all__)\n"
        "assert (files('securevec') / 'cli' / 'corpora' / 'helpdesk' / 'northgate.csv').is_file()\n"
    )
    command = [sys.executable, "-I", "-c", code, str(where)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
