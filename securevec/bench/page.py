"""The figures as one HTML file: no script, no font, nothing fetched. Plots are SVG inside it, drawn by hand because a
plotting library would be a large dependency for bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from securevec.bench.figures import Figures, IngestRow, SearchRow

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5c6b7a;--line:#d8dee5;--paper:#fff;--a:#3b6ea8;--b:#9fbfe0}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa8b6;--line:#36424e;--paper:#151b21;--a:#6ea3dd;
--b:#33506e}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin:2.2rem 0 .4rem}p{color:var(--soft);margin:.2rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{padding:.35rem .6rem;text-align:right;
border-bottom:1px solid var(--line)}th:first-child,th:nth-child(2),td.says{text-align:left}.wide{overflow-x:auto}
tbody th{font-weight:normal}td.says{color:var(--soft)}
svg{width:100%;height:auto}svg text{fill:var(--ink);font:13px system-ui,sans-serif}svg .soft{fill:var(--soft)}
svg .p50{fill:var(--a)}svg .p95{fill:var(--b)}svg .zero{stroke:var(--line)}
"""
_WIDTH: Final = 760
_NAMES: Final = 150
"""Pixels for the names on the left of a plot."""
_VALUES: Final = 120
"""Pixels for the values on its right."""
_ROW: Final = 30


def page(figures: Figures) -> str:
    """The HTML text."""
    title = f"securevec bench: {figures.backend}, {figures.points:,} points"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(conditions(figures))}</p>",
        "<h2>A search, vector given</h2>",
        "<p>Strong colour: median. Pale: 95th percentile. Each row adds one control to the row above it.</p>",
        _bars([(row.name, row.p50_ms, row.p95_ms) for row in figures.search], unit="ms"),
        _search_table(figures.search),
    ]
    if figures.model_search:
        parts += [
            "<h2>A search behind the model</h2>",
            _bars([(row.name, row.p50_ms, row.p95_ms) for row in figures.model_search], unit="ms"),
            _search_table(figures.model_search),
        ]
    parts += [
        "<h2>Writing, vectors given</h2>",
        _bars([(row.name, row.per_second, 0.0) for row in figures.ingest], unit="records/s"),
        _ingest_table(figures.ingest),
    ]
    if figures.model_ingest:
        parts += [
            "<h2>Writing behind the model</h2>",
            _bars([(row.name, row.per_second, 0.0) for row in figures.model_ingest], unit="records/s"),
            _ingest_table(figures.model_ingest),
        ]
    mebibytes = [(name, size / 2**20, 0.0) for name, size in figures.disk.items()]
    parts += ["<h2>On disk</h2>", "<p>Allocated blocks.</p>", _bars(mebibytes, unit="MiB")]
    if figures.memory:
        resident = [(name, size / 2**20, 0.0) for name, size in figures.memory.items()]
        parts += ["<h2>In memory</h2>", "<p>Each side in a process of its own.</p>", _bars(resident, unit="MiB")]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(figures.versions.items()))
    parts.append(f"<h2>Made with</h2><p>{escape(versions)}</p>")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def conditions(figures: Figures) -> str:
    """What was run, in one line."""
    machine = figures.machine
    return (
        f"{figures.questions:,} questions, k = {figures.k}, {figures.dimension} dimensions, every side interleaved; "
        f"a durable append took {figures.flush_p50_ms:.2f} ms; {machine['cpus']} cores, {machine['architecture']}, "
        f"{machine['system']}, load {machine['load']}. Ratios travel between machines, milliseconds do not."
    )


def _bars(rows: Sequence[tuple[str, float, float]], *, unit: str) -> str:
    """Horizontal bars: name, value, and a second value drawn behind the first (0 for none)."""
    widest = max((max(first, second) for _, first, second in rows), default=0.0) or 1.0
    room = _WIDTH - _NAMES - _VALUES
    drawn: list[str] = []
    spoken: list[str] = []
    for at, (name, first, second) in enumerate(rows):
        top = at * _ROW + 4
        label = _number(first) if not second else f"{_number(first)} / {_number(second)}"
        spoken.append(f"{name} {label} {unit}")
        end = _NAMES + room * max(first, second) / widest
        drawn.append(f'<text x="0" y="{top + 15}">{escape(name)}</text>')
        if second:
            drawn.append(_bar("p95", top, room * second / widest))
        drawn.append(_bar("p50", top, room * first / widest))
        drawn.append(f'<text class="soft" x="{end + 8:.1f}" y="{top + 15}">{label} {escape(unit)}</text>')
    height = len(rows) * _ROW + 4
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape("; ".join(spoken))}">'
        f'{"".join(drawn)}<line class="zero" x1="{_NAMES}" y1="0" x2="{_NAMES}" y2="{height}"/></svg>'
    )


def _bar(kind: str, top: int, width: float) -> str:
    return f'<rect class="{kind}" x="{_NAMES}" y="{top}" width="{max(width, 1.0):.1f}" height="20" rx="2"/>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _search_table(rows: Sequence[SearchRow]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td class="says">{escape(row.says)}</td><td>{row.p50_ms:.2f}</td>'
        f"<td>{row.p95_ms:.2f}</td><td>{row.ratio:.2f}x</td><td>{row.added_ms:+.2f}</td>"
        f"<td>{'' if row.recall is None else f'{row.recall:.3f}'}</td><td>{row.same:.0%}</td></tr>"
        for row in rows
    )
    return _table(("row", "what it is", "p50 ms", "p95 ms", "ratio", "added ms", "recall", "same answer"), body)


def _ingest_table(rows: Sequence[IngestRow]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td class="says">{escape(row.says)}</td><td>{row.records:,}</td>'
        f"<td>{row.per_second:,.0f}</td><td>{row.ratio:.2f}x</td></tr>"
        for row in rows
    )
    return _table(("row", "what it is", "records", "records/s", "time"), body)


def _table(columns: Sequence[str], body: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
