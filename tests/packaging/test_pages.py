"""What the pages name is there: every link, every file, every test, every limit, every decision."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from securevec import limits
from securevec.anonymize.rules.rulebook import builtin_rules

ROOT: Final = Path(__file__).resolve().parents[2]
DECISIONS: Final = ROOT / "docs/adr"
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LABEL: Final = re.compile(r"securevec/[a-z-]+/v\d+")
"""What a derived key is for, as it is hashed in."""
FENCED: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MERGED: Final = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)
"""Both sides of a merge that nobody decided. Of Python ruff says so, of a page nothing else does."""
ROOTS: Final = ("securevec", "backends", "tests", "benchmarks", "docs", "examples", "tools", "training")


def _prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


@cache
def _anchors(page: Path) -> set[str]:
    """As they are made of headings: lower case, without signs, a hyphen for each space."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@cache
def _tests() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    return {name for text in texts for name in re.findall(r"def (test_\w+)\(", text)}


def _broken_links(page: Path) -> list[str]:
    found: list[str] = []
    for link in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if ":" not in name and (not target.exists() or (anchor and anchor not in _anchors(target))):
            found.append(link)
    return found


def _missing(page: Path) -> list[str]:
    """Files, patterns of files, and tests in backticks of which there are none. Decisions speak of their day."""
    found: list[str] = []
    for quoted in re.findall(r"`([^`\n]+)`", _prose(page)):
        for path in re.findall(rf"(?<![\w/.-])(?:{'|'.join(ROOTS)})/[\w./*-]*", quoted):
            if DECISIONS in page.parents or LABEL.fullmatch(path):
                continue
            if not list(ROOT.glob(path.rstrip("/"))):
                found.append(path)
        for test in re.findall(r"(?:^|::)(test_\w+)$", quoted):
            if test not in _tests() and not list((ROOT / "tests").rglob(f"{test}.py")):
                found.append(test)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_file_and_test_that_a_page_names_is_there(page: Path) -> None:
    assert (_broken_links(page), _missing(page)) == ([], [])


def test_a_name_that_is_not_there_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A title, in two parts\n[x](#a-title-in-two-parts) [y](#gone) [z](gone.md) `tests/gone.py`\n"
        "`tests/attacks/test_p1_*` `tests/attacks/gone_*` `securevec/label/v1` `test_of_nothing`\n"
        "`tests/packaging/test_pages.py::test_of_nobody`\n```\n[no](link)\n```\n"
    )
    assert _broken_links(page) == ["#gone", "gone.md"]
    assert _missing(page) == ["tests/gone.py", "tests/attacks/gone_*", "test_of_nothing", "test_of_nobody"]


def test_the_table_of_limits_is_the_module() -> None:
    table = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    units = {"MiB": 2**20, "KiB": 2**10}
    told: dict[str, int] = {}
    for values, names in re.findall(r"^\|[^|]*\| ([^|]*) \| (MAX_[A-Z_, ]+) \|$", table, re.MULTILINE):
        numbers = [
            int(number.replace(",", "")) * units.get(unit, 1)
            for number, unit in re.findall(r"(\d[\d,]*\d|\d)(?: (\w+))?", values)
        ]
        told |= dict(zip(names.split(", "), numbers, strict=True))
    assert told == {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}


def test_every_label_that_is_hashed_in_is_on_the_page_of_formats_and_the_other_way_round() -> None:
    code = {
        label
        for folder in ("securevec", "backends")
        for path in (ROOT / folder).rglob("*.py")
        for label in LABEL.findall(path.read_text(encoding="utf-8"))
    }
    assert set(LABEL.findall((ROOT / "docs/formats.md").read_text(encoding="utf-8"))) == code != set()


def test_the_page_of_detection_counts_the_rules_there_are() -> None:
    rules = builtin_rules().rules
    secret = [rule.entity for rule in rules if rule.secret]
    said = f"There are {len(rules)} rules, {len(secret)} of them for {len(set(secret))} kinds of credentials"
    assert said in (ROOT / "docs/detection.md").read_text(encoding="utf-8")


def test_no_page_holds_both_sides_of_a_merge() -> None:
    assert MERGED.search("a\n" + "<" * 7 + " HEAD\nb")
    assert [page.name for page in PAGES if MERGED.search(page.read_text(encoding="utf-8"))] == []


def test_the_list_of_decisions_is_complete_and_in_order() -> None:
    files = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    rows = re.findall(
        r"^\| \[(\d{4})\]\(([^)]*)\) \| (.*) \|$", (DECISIONS / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert [(number, name) for number, name, _ in rows] == [(path.name[:4], path.name) for path in files]


def test_a_decision_that_was_superseded_says_by_which_later_one_or_which_page() -> None:
    notes = {
        path.name: note
        for path in DECISIONS.glob("*.md")
        for note in re.findall(r"^\*\*Superseded.*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(notes) >= 5
    for name, note in notes.items():
        later = re.findall(r"\[(\d{4})\]", note)
        assert all(number > name[:4] for number in later), note
        assert later or "](../" in note, note
