"""How a text is to be read, when it is not to be read as it stands.

``read`` takes a text's notation off in two layers: the container (JSON, CSV), then tags and escapes. What remains are
views, texts with a way back to the offsets of the one that came. Whatever is read here, the rules also read the text
as it stands; names are left to the views where the notation is beyond doubt (``sure``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import Folded
from securevec.anonymize.written.csv_text import Table, read_csv, table
from securevec.anonymize.written.escapes import escaped, is_break, units
from securevec.anonymize.written.json_text import NUMBER, Leaf, fences, read_json, regions
from securevec.anonymize.written.layers import Cell, Layer, Unit
from securevec.anonymize.written.markup import Attribute, attributes, has_tags, tags

_LETTERS: Final = frozenset("@+#")
_FEW_DIGITS: Final = 2


class View(NamedTuple):
    """A text to be searched; ``layers`` lead from its offsets back to those of the text, the last one first."""

    text: str
    cells: tuple[Cell, ...]
    layers: tuple[Folded, ...]
    inside: bool = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The range of the text that ``[start, end)`` of the view came from."""
        for layer in self.layers:
            start, end = layer.span(start, end)
        return start, end

    def mapped(self, finding: Finding, *, raised: int = 0) -> Finding:
        """A finding of the view, in offsets of the text. ``raised``: added to its priority."""
        start, end = self.span(finding.start, finding.end)
        return Finding(start, end, finding.entity, finding.score, finding.rule, finding.priority + raised)


class Reading:
    """What :func:`read` knows of one text. ``leaves`` are the places of a container, empty without one."""

    def __init__(
        self,
        text: str,
        *,
        views: tuple[View, ...],
        leaves: list[Leaf],
        written: list[Unit],
        attributes: list[Attribute],
        delimiter: str,
        sure: bool,
    ) -> None:
        self.text = text
        self.views = views
        self.leaves = leaves
        self.attributes = attributes
        self.delimiter = delimiter
        self.sure = sure
        self.tags = [unit for unit in written if unit.tag]
        self._units = [unit for unit in written if not unit.tag]
        self._starts = [unit.start for unit in self._units]
        self._tag_starts = [unit.start for unit in self.tags]
        self._leaf_starts = [leaf.start for leaf in leaves]
        self._attribute_starts = [each.start for each in attributes]

    def value(self, start: int, end: int) -> str:
        """What ``[start, end)`` of the text, which cuts no escape, stands for."""
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        if first == last:
            return self.text[start:end]
        pieces: list[str] = []
        for unit in self._units[first:last]:
            pieces += (self.text[start : unit.start], unit.image)
            start = unit.end
        return "".join([*pieces, self.text[start:end]])

    def escapes_in(self, start: int, end: int) -> str:
        """The first characters of the escapes in a range: what its replacement is to be escaped with."""
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        return "".join({self.text[unit.start] for unit in self._units[first:last]})

    def whole_escapes(self, finding: Finding) -> Finding:
        """The finding without half an escape: with all of one that stands for a letter, digit or @, else without it."""
        start, end = finding.start, finding.end
        if self.attributes and (tag := self._tag_around(start)) is not None and self.attribute_at(start) is None:
            # Read as it stands, a value may begin with the name of its attribute.
            at = bisect_right(self._attribute_starts, start)
            if at < len(self.attributes) and self.attributes[at].start < min(end, tag.end):
                start = self.attributes[at].start
        if (unit := self._cut(start)) is not None:
            start = unit.start if _matters(unit) or unit.end >= end else unit.end
        if (unit := self._cut(end)) is not None:
            end = unit.end if _matters(unit) or unit.start <= start else unit.start
        if (start, end) == (finding.start, finding.end):
            return finding
        return Finding(start, end, finding.entity, finding.score, finding.rule, finding.priority)

    def counts(self, finding: Finding) -> bool:
        """False for a number of JSON with two digits at most, which is nobody's: on its line it looks like a house."""
        if finding.end - finding.start > _FEW_DIGITS + 1 or not self.leaves:
            return True
        return any(
            leaf.kind != NUMBER or sum(map(str.isdigit, self.text[leaf.start : leaf.end])) > _FEW_DIGITS
            for leaf in self.leaves_in(finding.start, finding.end)
        )

    def leaves_in(self, start: int, end: int) -> list[Leaf]:
        """The container's places that ``[start, end)`` reaches into."""
        first = max(bisect_right(self._leaf_starts, start) - 1, 0)
        last = bisect_left(self._leaf_starts, end)
        return [leaf for leaf in self.leaves[first:last] if leaf.end > start]

    def tags_in(self, start: int, end: int) -> list[Unit]:
        """The tags that ``[start, end)`` reaches into."""
        first = max(bisect_right(self._tag_starts, start) - 1, 0)
        return [tag for tag in self.tags[first : bisect_left(self._tag_starts, end)] if tag.end > start]

    def attribute_at(self, start: int) -> Attribute | None:
        """The attribute in whose value ``start`` lies."""
        at = bisect_right(self._attribute_starts, start) - 1
        return self.attributes[at] if at >= 0 and start < self.attributes[at].end else None

    def _tag_around(self, point: int) -> Unit | None:
        at = bisect_left(self._tag_starts, point) - 1
        return self.tags[at] if at >= 0 and point < self.tags[at].end else None

    def _cut(self, point: int) -> Unit | None:
        at = bisect_left(self._starts, point) - 1
        return self._units[at] if at >= 0 and point < self._units[at].end else None


def read(text: str) -> Reading | None:
    """How the text is to be read; ``None`` for as it stands. Linear in the text, and a few searches for most texts."""
    containers = regions(text)
    tables = [] if containers else _tables(text)
    loose = escaped(text)
    marked = has_tags(text)
    if not (containers or tables or loose or marked):
        return None
    leaves: list[Leaf] = []
    cells: list[Cell] = []
    outer: list[Unit] = []
    layers: tuple[Folded, ...] = ()
    inner, delimiter = text, ","
    if containers or tables:
        layer = Layer(text)
        position = 0
        for start, end in containers:
            layer.copy(position, start)
            outer += read_json(text, start, end, layer, leaves, cells)
            position = end
        for start, end, found in tables:
            layer.copy(position, start)
            outer += read_csv(text, found, layer, leaves, cells, end)
            position, delimiter = end, found.delimiter
        layer.copy(position, len(text))
        made = layer.made()
        layers, inner = (made,), made.text
        marked = has_tags(inner)
    written, view, about, unsure = _loose(inner, layers, tuple(cells), marked=marked)
    views = [view]
    if about:
        views.append(_attributes(inner, layers, about))
    back = View(inner, (), layers)
    outer += [_unit(back, unit) for unit in written]
    if tables and (loose or marked):
        # Columns are a guess; what they might cut in two is read without them as well.
        uncut, view, _, _ = _loose(text, (), (), marked=has_tags(text))
        outer += uncut
        views.insert(1, view)
    return Reading(
        text,
        views=tuple(views),
        leaves=leaves,
        written=_outermost(outer),
        attributes=[Attribute(*back.span(each.start, each.end), each.name) for each in about],
        delimiter=delimiter,
        sure=not unsure,
    )


def _tables(text: str) -> list[tuple[int, int, Table]]:
    if "\n" not in text:
        return []
    if (found := table(text, 0, len(text))) is not None:
        return [(0, len(text), found)]
    blocks = ((start, end, table(text, start, end)) for start, end in fences(text))
    return [(start, end, found) for start, end, found in blocks if found is not None]


def _loose(
    text: str, layers: tuple[Folded, ...], cells: tuple[Cell, ...], *, marked: bool
) -> tuple[list[Unit], View, list[Attribute], bool]:
    """Tags and escapes of a text: what they are, the view without them, attributes, and whether there is a doubt."""
    marks = list(tags(text)) if marked else []
    found: list[Unit] = []
    inside: list[Unit] = []
    about: list[Attribute] = []
    unsure = False
    position = 0
    for tag in [*marks, Unit(len(text), len(text), "", tag=True)]:
        for unit in units(text, position, tag.start):
            found.append(unit)
            unsure = unsure or is_break(text, unit)
        if tag.start < tag.end:
            found.append(tag)
            about += attributes(text, tag)
            inside += units(text, tag.start, tag.end)
        position = tag.end
    if not found:
        return found, View(text, cells, layers), about, unsure
    layer = Layer(text)
    layer.spell(0, len(text), found)
    made = layer.made()
    return [*found, *inside], View(made.text, _moved(cells, found), (made, *layers)), about, unsure


def _attributes(text: str, layers: tuple[Folded, ...], about: Iterable[Attribute]) -> View:
    layer = Layer(text)
    cells: list[Cell] = []
    for each in about:
        layer.put(f"{each.name}: ", each.start - 1, 1)
        began = layer.length
        layer.spell(each.start, each.end, list(units(text, each.start, each.end)))
        if layer.length > began:
            cells.append(Cell(began, layer.length, each.name))
        layer.put("\n", each.end - 1, 1)
    made = layer.made()
    return View(made.text, tuple(cells), (made, *layers), inside=True)


def _moved(cells: tuple[Cell, ...], found: list[Unit]) -> tuple[Cell, ...]:
    """The cells where they are once the units are spelled out."""
    moved: list[Cell] = []
    at = shift = 0

    def after(point: int) -> int:
        nonlocal at, shift
        while at < len(found) and found[at].end <= point:
            shift += len(found[at].image) - (found[at].end - found[at].start)
            at += 1
        return point + shift

    for cell in cells:
        start = after(cell.start)
        moved.append(Cell(start, max(start, after(cell.end)), cell.head))
    return tuple(cell for cell in moved if cell.start < cell.end)


def _unit(back: View, unit: Unit) -> Unit:
    return Unit(*back.span(unit.start, unit.end), unit.image, unit.tag)


def _outermost(written: list[Unit]) -> list[Unit]:
    """Without the units inside other ones: an escape that spells an escape counts as one. Tags count apart."""
    kept: list[Unit] = [unit for unit in written if unit.tag]
    for unit in sorted((unit for unit in written if not unit.tag), key=lambda unit: (unit.start, -unit.end)):
        if not kept or kept[-1].tag or unit.start >= kept[-1].end:
            kept.append(unit)
        elif unit.end > kept[-1].end:
            kept[-1] = kept[-1]._replace(end=unit.end, image=kept[-1].image + unit.image)
    return kept


def _matters(unit: Unit) -> bool:
    return any(char.isalnum() or char in _LETTERS for char in unit.image)
