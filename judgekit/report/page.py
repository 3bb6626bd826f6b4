"""One-file HTML pages: text, tables and bars, no script, nothing fetched, everything escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9d9e0; --page: #fdfdfc; --mark: #3e63dd;
  --band: #e6edfe; --other: #ad5700; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #b0b4ba; --line: #43484e; --page: #111113;
  --mark: #9eb1ff; --band: #253974; --other: #ffa057; } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 60rem;
  margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { max-width: 44rem; } .soft { color: var(--soft); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem 1.1rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: .85rem; color: var(--soft); } td.n, th.n { text-align: right; }
td.s { white-space: nowrap; } .wide + .wide { margin-top: 1.1rem; }
svg { width: 100%; min-width: 36rem; height: auto; font: 13px system-ui, sans-serif; } svg text { fill: var(--ink); }
figure.curve { display: inline-block; width: 19rem; max-width: 100%; margin: .4rem 1.2rem .8rem 0; }
.notes { font-size: .85rem; color: var(--soft); padding-left: 1.1rem; margin: .5rem 0 1rem; max-width: 52rem; }
figcaption { font-size: .85rem; color: var(--soft); } figure.curve svg { min-width: 0; font-size: 11px; }
figure.plot { display: inline-block; vertical-align: top; width: 26rem; max-width: 100%;
  margin: .6rem 1.4rem 1.4rem 0; }
figure.plot svg { min-width: 0; } figure.plot:has(.large) { display: block; width: auto; margin-right: 0; }
.answers details { border-bottom: 1px solid var(--line); }
.answers summary { display: grid; gap: .4rem .8rem; padding: .5rem 0; cursor: pointer; align-items: start;
  grid-template-columns: minmax(8rem, 1.2fr) repeat(auto-fit, minmax(8.5rem, 1fr)); list-style: none; }
.answers summary::-webkit-details-marker { display: none; }
.answers summary b::before { content: "▸ "; color: var(--soft); } .answers [open] summary b::before { content: "▾ "; }
.answers summary span { border-left: 4px solid var(--soft); padding-left: .5rem; line-height: 1.3; }
.answers small { display: block; color: var(--soft); font-size: .78rem; }
.answers .good { border-color: #30a46c; } .answers .part { border-color: #ffb224; }
.answers .bad { border-color: #e5484d; } .answers ul { margin: 0 0 .8rem; padding-left: 1.4rem; max-width: 50rem; }
.loud { border: 2px solid #e5484d; border-radius: 6px; padding: .5rem .8rem; font-weight: 600; }
@media (max-width: 40rem) { .answers summary { grid-template-columns: 1fr 1fr; }
  .answers summary b { grid-column: 1 / -1; } body { margin-top: 1.2rem; } th, td { padding-right: .8rem; }
  figure.plot, figure.curve { margin-right: 0; } }
blockquote { margin: .4rem 0; padding-left: .9rem; border-left: 3px solid var(--line); white-space: pre-wrap; }
"""
SHORT = 24  # letters of a cell that are not broken
LEFT, RIGHT, ROW, PLOT = 190, 150, 30, 420
CURVE_LEFT, CURVE_WIDTH, CURVE_HEIGHT = 44, 250, 110


class Answered(NamedTuple):
    """A question with its answer in a word or two, how good that is, and the sentence that it rests on."""

    question: str
    answer: str
    tone: Literal["good", "part", "bad", "open"]
    sentence: str


@dataclass
class Page:
    """A report, built from top to bottom and written as one file."""

    title: str
    parts: list[str] = field(default_factory=list)

    def heading(self, text: str) -> Self:
        """Add a section heading."""
        return self._add(f"<h2>{escape(text)}</h2>")

    def text(self, text: str, *, soft: bool = False) -> Self:
        """Add a paragraph."""
        return self._add(f"<p{' class=soft' if soft else ''}>{escape(text)}</p>")

    def loud(self, text: str) -> Self:
        """Add a paragraph that cannot be overlooked."""
        return self._add(f'<p class="loud">{escape(text)}</p>')

    def answers(self, name: str, given: Sequence[Answered], *, unfolded: bool = False) -> Self:
        """Add a line of coloured answers; it unfolds to the sentences that they rest on."""
        chips = "".join(
            f'<span class="{a.tone}"><small>{escape(a.question)}</small>{escape(a.answer)}</span>' for a in given
        )
        words = "".join(f"<li>{escape(f'{a.question} {a.answer}. {a.sentence}')}</li>" for a in given)
        head = f"<summary><b>{escape(name)}</b>{chips}</summary>"
        return self._add(
            f'<div class="answers"><details{" open" if unfolded else ""}>{head}<ul>{words}</ul></details></div>'
        )

    def notes(self, lines: Iterable[str]) -> Self:
        """Add what is to be said of a table, below it, small."""
        found = "".join(f"<li>{escape(line)}</li>" for line in lines)
        return self._add(f'<ul class="notes">{found}</ul>') if found else self

    def quote(self, text: str) -> Self:
        """Add a quoted text; its line breaks are kept."""
        return self._add(f"<blockquote>{escape(text)}</blockquote>")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Self:
        """Add a table; numbers stand right, None is a dash."""
        lines = [list(row) for row in rows]
        numeric = [all(isinstance(row[i], (int, float, type(None))) for row in lines) for i in range(len(headings))]
        head = "".join(f"<th{_n(right)}>{escape(name)}</th>" for name, right in zip(headings, numeric, strict=True))
        body = "".join(
            "<tr>" + "".join(f"<td{_n(n, v)}>{_cell(v)}</td>" for v, n in zip(row, numeric, strict=True)) + "</tr>"
            for row in lines
        )
        return self._add(f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>')

    def intervals(self, rows: Sequence[tuple[str, float, float | None, float | None]], *, chance: float) -> Self:
        """Add a plot of shares on [0, 1]: a dot each, a bar for its interval where there is one, a line at chance."""
        height = ROW * len(rows) + 34
        marks = "".join(_interval(i, *row) for i, row in enumerate(rows))
        axis = "".join(_tick(x, height) for x in (0, 0.25, 0.5, 0.75, 1))
        guide = f'<line x1="{_x(chance):.1f}" x2="{_x(chance):.1f}" y1="4" y2="{height - 26}" stroke="var(--soft)" '
        box = f'viewBox="0 0 {LEFT + PLOT + RIGHT} {height}" role="img" aria-label="{escape(self.title)}: shares"'
        plot = f'<svg {box}>{axis}{guide}stroke-dasharray="3 3"/>{marks}</svg>'
        return self._add(f'<div class="wide">{plot}</div>')

    def curve(self, name: str, points: Sequence[tuple[float, float]]) -> Self:
        """Add a line plot of values over steps; fewer than two finite points are no curve, and are left out."""
        finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        if len(finite) < 2:
            return self
        return self._add(
            f'<figure class="curve"><figcaption>{escape(name)}</figcaption>{_curve(name, finite)}</figure>'
        )

    def figure(self, svg: str, caption: str) -> Self:
        """Add a plot of `judgekit.report.plots` or `judgekit.report.named` as it is, with its caption."""
        return self._add(
            f'<figure class="plot"><div class="wide">{svg}</div><figcaption>{escape(caption)}</figcaption></figure>'
        )

    def save(self, path: str | Path) -> Path:
        """Write the page."""
        head = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(self.title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        )
        body = f"<body><h1>{escape(self.title)}</h1>{''.join(self.parts)}</body></html>\n"
        Path(path).write_text(head + body, encoding="utf-8")
        return Path(path)

    def _add(self, part: str) -> Self:
        self.parts.append(part)
        return self


def _n(right: bool, value: Any = None) -> str:
    """Return how a cell stands: numbers right, and what is short in one line."""
    if right:
        return ' class="n"'
    return ' class="s"' if isinstance(value, str) and len(value) <= SHORT else ""


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else escape(str(value))


def _x(share: float) -> float:
    return LEFT + PLOT * share


def _tick(x: float, height: int) -> str:
    line = f'<line x1="{_x(x):.1f}" x2="{_x(x):.1f}" y1="4" y2="{height - 26}" stroke="var(--line)"/>'
    return line + f'<text x="{_x(x):.1f}" y="{height - 8}" text-anchor="middle">{x:g}</text>'


def _interval(row: int, name: str, value: float, low: float | None, high: float | None) -> str:
    y = ROW * row + 22
    label = f'<text x="{LEFT - 14}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
    dot = f'<circle cx="{_x(value):.1f}" cy="{y}" r="5" fill="var(--mark)"/>'
    if low is None or high is None:
        return f'{label}{dot}<text x="{LEFT + PLOT + 14}" y="{y + 4}">{value:.3f}</text>'
    band = (
        f'<rect x="{_x(low):.1f}" y="{y - 6}" width="{_x(high) - _x(low):.1f}" height="12" rx="3" fill="var(--band)"/>'
    )
    text = f'<text x="{LEFT + PLOT + 14}" y="{y + 4}">{value:.3f} [{low:.3f}, {high:.3f}]</text>'
    return f"{label}{band}{dot}{text}"


def _curve(name: str, points: Sequence[tuple[float, float]]) -> str:
    (left, right), (low, high) = _range(x for x, _ in points), _range(y for _, y in points)

    def place(x: float, y: float) -> str:
        across = CURVE_LEFT + CURVE_WIDTH * (x - left) / (right - left)
        return f"{across:.1f},{6 + CURVE_HEIGHT * (high - y) / (high - low):.1f}"

    line = " ".join(place(x, y) for x, y in points)
    bottom, end = CURVE_HEIGHT + 6, CURVE_LEFT + CURVE_WIDTH
    frame = f'<path d="M{CURVE_LEFT} 6V{bottom}H{end}" fill="none" stroke="var(--line)"/>'
    labels = [(CURVE_LEFT - 6, 12, "end", high), (CURVE_LEFT - 6, bottom, "end", low)]
    labels += [(CURVE_LEFT, bottom + 15, "start", left), (end, bottom + 15, "end", right)]
    marks = "".join(f'<text x="{x}" y="{y}" text-anchor="{side}">{value:.4g}</text>' for x, y, side, value in labels)
    box = f'viewBox="0 0 {end + 8} {bottom + 20}" role="img" aria-label="{escape(name)}"'
    return (
        f'<svg {box}>{frame}<polyline points="{line}" fill="none" stroke="var(--mark)" stroke-width="2"/>{marks}</svg>'
    )


def _range(values: Iterable[float]) -> tuple[float, float]:
    """Return the lowest and the highest value, apart even where they are equal."""
    known = list(values)
    low, high = min(known), max(known)
    return (low, high) if low < high else (low - 0.5, high + 0.5)
