"""What pages and messages tell a reader to type is there: each command and option, and Python that can be imported.

Whole journeys are run by ``test_readme.py``, ``test_service_page.py`` and the tests of examples; nothing is run here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer

import securevec as sv
from securevec.cli.app import build

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*/README.md")],
    key=lambda page: page.relative_to(ROOT),
)
FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAM: Final[Any] = typer.main.get_command(build())


def _blocks(page: Path) -> list[tuple[str, str]]:
    return FENCED.findall(page.read_text(encoding="utf-8"))


def _typed_lines(page: Path) -> Iterator[list[str]]:
    """The words behind ``securevec`` of each line in a block of shell, without what a shell takes for itself."""
    for language, block in _blocks(page):
        for line in block.replace("\\\n", " ").splitlines() if language in {"", "sh", "console"} else ():
            for part in re.split(r" \|\|? | && |; do |; ", line.partition("  #")[0].strip().removeprefix("$ ")):
                # `&` behind, what is put into or taken from a file.
                typed = re.sub(r" [<>]+ *\S+| &$", "", part)
                if typed.startswith("securevec "):
                    yield shlex.split(typed, comments=True)[1:]


def _wrong(words: list[str]) -> str:
    """What of these words the command line does not know; nothing of them is done."""
    at: Any = PROGRAM
    rest = list(words)
    while rest and hasattr(at, "commands") and rest[0] in at.commands:
        at = at.commands[rest.pop(0)]
    if hasattr(at, "commands") and rest and not rest[0].startswith("-"):
        return f"no command {rest[0]}"
    known = {option for each in at.params for option in (*each.opts, *each.secondary_opts)} | {"--help", "-h"}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"no option {unknown[0]}" if unknown else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_is_read_by_its_parser(page: Path) -> None:
    for words in _typed_lines(page):
        assert not _wrong(words), words
        at: Any = PROGRAM
        rest = list(words)
        while rest and hasattr(at, "commands"):
            at = at.commands[rest.pop(0)]
        if "--help" not in rest:
            at.make_context("securevec", rest)  # raises what a user would be told


def _named(text: str) -> Iterator[list[str]]:
    """Commands in running text: the words behind ``securevec``, to where a sentence ends or something else begins. In
    "a securevec home" the next word is none; behind a colon it has to be."""
    before, *rests = re.split(r"(?<![\w./'-])securevec (?=[a-z])", text)
    for rest in rests:
        words = re.split(r"[.,;:)]*(?: |$)(?<=[.,;:)] )|[.,;:)]+$|[^\w ./:=-]", rest.split("\n")[0])[0].split()
        if words and (words[0] in PROGRAM.commands or before.endswith(": ")):
            yield words
        before = rest


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    prose = FENCED.sub("", page.read_text(encoding="utf-8"))
    for quoted in re.findall(r"`([^`\n]+)`", prose):
        for words in _named(quoted):
            assert not _wrong(words), quoted


def test_every_command_that_a_message_advises_is_there() -> None:
    seen = 0
    for folder in ("securevec", "backends"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name == "completion.py":  # scripts for shells, which its own tests run
                continue
            text = path.read_text(encoding="utf-8")
            if "securevec " not in text:
                continue
            nodes = [*ast.walk(ast.parse(text))]
            remarks = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
            for node in nodes:
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in remarks:
                    for words in _named(node.value):
                        assert not _wrong(words), (path.name, node.value)
                        seen += 1
    assert seen > 100


def test_an_unknown_command_or_option_is_seen() -> None:
    assert [_wrong(words) for words in _named("Run: securevec tenat list. Or: securevec tenant list --jsn")] == [
        "no command tenat",
        "no option --jsn",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_is_python_and_imports_what_there_is(page: Path) -> None:
    for language, block in _blocks(page):
        if language in {"py", "python"}:
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("securevec"):
                    module = importlib.import_module(node.module or "")
                    assert [each.name for each in node.names if not hasattr(module, each.name)] == []


CALLS: Final = {"Collection": sv.Collection, "tenant": sv.Tenant, "store": sv.SecureStore, "result": sv.SearchResult}


def _sections() -> dict[str, str]:
    """The page of calls by whose calls they are."""
    page = (ROOT / "docs" / "collections.md").read_text(encoding="utf-8")
    first, returned, tenant, store = page.split("\n## ")
    return {"Collection": first, "result": returned, "tenant": tenant, "store": store}


@pytest.mark.parametrize("whose", CALLS)
def test_the_page_of_calls_names_each_there_is(whose: str) -> None:
    quoted = " ".join(re.findall(r"`([^`\n]+)`", _sections()[whose]))
    public = {name for name in dir(CALLS[whose]) if not name.startswith("_")} - {"count", "index"}
    assert {name for name in public if not re.search(rf"\b{name}\b", quoted)} == set()


def test_the_page_of_calls_names_what_a_hit_has_and_each_public_class() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {name for name in sv.Hit.__slots__ if f"`{name}`" not in _sections()["result"]} == set()
    assert {name for name in sv.__all__ if not re.search(rf"\b{name}\b", pages)} == set()


@pytest.mark.parametrize("whose", CALLS)
def test_the_page_of_calls_shows_no_argument_that_a_call_does_not_take(whose: str) -> None:
    seen = 0
    for quoted in re.findall(r"`([^`\n]+)`", _sections()[whose]):
        found = re.match(r"(?:hits|store|tenant|SecureStore)?\.?(\w+)\((.*)\)$", quoted)
        owners = [each for each in CALLS.values() if found and hasattr(each, found[1])]
        if found and owners:
            shown = set(re.findall(r"(?:^|, )(\w+)=", re.sub(r"\w+\([^()]*\)", "", found[2])))
            taken = [set(inspect.signature(getattr(each, found[1])).parameters) for each in owners]
            assert any(shown <= each for each in taken), quoted
            seen += 1
    assert seen >= 3
