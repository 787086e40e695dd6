"""Everything that is looked for in texts of scripts without capitals, and in values under names in such scripts."""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize.findings import Finding
from securevec.anonymize.names.scripts.codes import numbers
from securevec.anonymize.names.scripts.dates import days_and_ages
from securevec.anonymize.names.scripts.gate import CYRILLIC, labels_in
from securevec.anonymize.names.scripts.han import chinese_names, japanese_names, whole_japanese
from securevec.anonymize.names.scripts.han_places import japanese_houses
from securevec.anonymize.names.scripts.hangul import korean_names
from securevec.anonymize.names.scripts.hangul_places import korean_places
from securevec.anonymize.names.scripts.heads import houses_by_head
from securevec.anonymize.names.scripts.labels import labelled_values
from securevec.anonymize.names.scripts.native_places import without_capitals
from securevec.anonymize.names.scripts.places import addresses
from securevec.anonymize.names.scripts.spaced import spaced_names
from securevec.anonymize.names.scripts.thai import thai_names

_SPACED: Final = ("arab", "hebr", "deva", "beng", "taml", "telu", "armn", "geor")
_PLACES: Final = frozenset({"arab", "hebr", "deva", "beng", "taml", "telu"})
_HEADS: Final = frozenset({"arab", "hebr", "deva"})
_LONGEST_HEAD: Final = 40
_KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_LINES: Final = re.compile(r"[^\n]+")


def in_scripts(text: str, scripts: frozenset[str]) -> list[Finding]:
    """People, addresses and numbers in offsets of ``text`` (the plain folded view) with letters of ``scripts``."""
    found = [*numbers(text, scripts), *days_and_ages(text, scripts), *addresses(text, scripts)]
    japanese = "kana" in scripts
    if japanese or "hani" in scripts:
        found += labelled_values(text, "jpan")
    if "hani" in scripts:
        found += labelled_values(text, "hani")
        found += _in_han(text, japanese=japanese)
    elif japanese:
        found += japanese_names(text)
    if japanese:
        found += japanese_houses(text)
    if "hang" in scripts:
        found += labelled_values(text, "hang")
        found += korean_names(text)
        found += korean_places(text)
    if "thai" in scripts:
        found += labelled_values(text, "thai")
        found += thai_names(text)
        found += houses_by_head(text, "thai")
    if CYRILLIC in scripts:
        found += labelled_values(text, CYRILLIC)
    for script in _SPACED:
        if script in scripts:
            found += labelled_values(text, script)
            found += spaced_names(text, script)
        if script in _PLACES and script in scripts:
            found += without_capitals(text, script)
        if script in _HEADS and script in scripts:
            found += houses_by_head(text, script)
    return found


def _in_han(text: str, *, japanese: bool) -> list[Finding]:
    """Chinese or Japanese: a line with kana is Japanese, one without any in a text that has some may be both."""
    if not japanese:
        found = chinese_names(text)
        for whole in whole_japanese(text):
            over = [f for f in found if f.start < whole.end and whole.start < f.end]
            if all(
                whole.start <= f.start and f.end <= whole.end and f.end - f.start < whole.end - whole.start
                for f in over
            ):
                found = [*(f for f in found if f not in over), whole]
        return found
    found = []
    for line in _LINES.finditer(text):
        part = line.group()
        here = japanese_names(part)
        if not _KANA.search(part):
            here += [f for f in chinese_names(part) if not any(f.start < g.end and g.start < f.end for g in here)]
        found += [f.shifted(line.start()) for f in here]
    return found


def under_scripted_head(value: str, head: str) -> list[Finding]:
    """What a value is under a head or name of a field in such a script, as behind a label."""
    if head.isascii() or len(head) > _LONGEST_HEAD or not (scripts := labels_in(head)):
        return []
    lead = f"{head}: "
    found = in_scripts(lead + value, scripts | labels_in(value))
    return [f.shifted(-len(lead)) for f in found if f.start >= len(lead)]
