"""Tables on a terminal that is too narrow for them: one line a value, rather than columns broken inside of words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_WORD: Final = 40
"""Longer words (paths, URLs) may be broken: a table is not taken apart for one of them."""
_GAP: Final = 3
"""Columns of a terminal between two columns of a table."""


def fitted(part: RenderableType, width: int) -> RenderableType:
    """``part``, or what replaces it where its columns need more than ``width`` characters: each row as names and values
    below each other, with a line between two rows. A table without rows says so.
    """
    from rich.console import Group
    from rich.table import Table

    if not isinstance(part, Table) or not part.show_header:
        return part
    if not part.row_count:
        return Group(part, "none")
    if _needed(part) > width:
        return _stacked(part)
    for column in part.columns:
        # Names stay whole, so that they can be copied: what gives way are the columns of several words.
        texts = map(str, (column.header, *column.cells))
        column.no_wrap = all(len(text) <= _WORD and " " not in text for text in texts)
    return part


def _needed(table: Table) -> int:
    """How wide the table is when every column is as narrow as its longest word."""
    columns = [[str(column.header), *map(str, column.cells)] for column in table.columns]
    longest = [max((min(len(word), _WORD) for text in texts for word in text.split()), default=0) for texts in columns]
    return sum(longest) + _GAP * (len(columns) - 1)


def _stacked(table: Table) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rows: list[RenderableType] = []
    for cells in zip(*(list(column.cells) for column in table.columns), strict=True):
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for column, cell in zip(table.columns, cells, strict=True):
            if str(column.header) or str(cell):
                grid.add_row(Text(str(column.header), style="bold"), cell)
        rows += [grid, ""]
    return Group(*([table.title, *rows[:-1]] if table.title else rows[:-1]))
