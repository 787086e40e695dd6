"""Every pass that looks for names in one text: windows of it, words of other scripts, its tables, its field's name.

Hundreds of patterns are compiled when this is imported, so ``detectors`` does it with the first text that it reads.
"""

from __future__ import annotations

from securevec.anonymize.findings import Finding, Recall
from securevec.anonymize.fold import fold
from securevec.anonymize.names.context import find_names, names_a_person
from securevec.anonymize.names.forms import under_head
from securevec.anonymize.names.merge import find_entities
from securevec.anonymize.names.model import Tagging
from securevec.anonymize.names.scripts.find import in_scripts, under_scripted_head
from securevec.anonymize.names.scripts.gate import labels_in
from securevec.anonymize.names.tongues import Tagger
from securevec.anonymize.rules.tables import LONGEST_CELL, has_table, scan_cells
from securevec.anonymize.windows import scan_windows


def names_in(
    text: str, plain: str, field_name: str, model: Tagger, recall: Recall, tagging: Tagging | None
) -> list[Finding]:
    """Findings in ``plain``, the plain view of ``text``. ``tagging``: the model's of it, if it was asked already."""

    def by_model(part: str) -> list[Finding]:
        return find_entities(part, model, field_name=field_name, recall=recall, tagging=tagging)

    found = scan_windows(plain, by_model)
    if scripts := labels_in(plain):
        found.extend(scan_windows(plain, lambda part: in_scripts(part, scripts)))
    if has_table(text):
        found.extend(scan_cells(plain, names_in_cell))
    if field_name and len(text) <= LONGEST_CELL:
        found.extend(under_head(plain, field_name))
        found.extend(under_scripted_head(plain, fold(field_name, skeleton=False).text))
    return found


def names_in_cell(cell: str, head: str) -> list[Finding]:
    """Findings in what stands under a head, or behind a name for it."""
    if names_a_person(head):
        return find_names(cell, field_name=head)
    return [*under_head(cell, head), *under_scripted_head(cell, head)]
