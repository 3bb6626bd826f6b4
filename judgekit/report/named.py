"""Plots of things with names, for `judgekit.report.Page.figure`: agreement of raters, effects with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from judgekit.errors import InputError
from judgekit.report.drawing import (
    WIDTH,
    Axis,
    bottom_axis,
    breadth,
    extent,
    fit,
    label,
    line,
    number,
    picture,
    places_of,
    plain,
    written,
)

NAMES, ROWS = 25, 60  # more are not read; the rest is in the report's tables
Row = tuple[str, float | None, float | None, float | None, str]
Matrix = Sequence[Sequence[float | None]]


def heat_map(
    names: Sequence[str], matrix: Matrix, lowest: float, highest: float, counts: Sequence[int] | None = None
) -> str:
    """Draw a number for each pair of names, on a colour: blue for high; where ``lowest`` < 0, orange for below zero.

    Args:
        matrix: names x names; None is a dash.
        lowest, highest: the values of the faintest and the strongest colour; a number beyond gets the nearest colour.
        counts: how often each name occurs; above `NAMES` names the most frequent are drawn, and a note says so.
            Without it, those with the most numbers in the matrix.

    Raises:
        InputError: the matrix is not names x names, or ``counts`` has another length.
    """
    if len(matrix) != len(names) or any(len(row) != len(names) for row in matrix):
        raise InputError(f"a heat map of {len(names)} names needs a matrix of {len(names)} x {len(names)} numbers")
    if counts is not None and len(counts) != len(names):
        raise InputError(f"{len(names)} names but {len(counts)} counts")
    cells = [[number(value) for value in row] for row in matrix]
    often = counts if counts is not None else [sum(value is not None for value in row) for row in cells]
    kept = sorted(sorted(range(len(names)), key=lambda i: -often[i])[:NAMES])
    shown, values = [names[i] for i in kept], [[cells[i][j] for j in kept] for i in kept]
    plot, width, height = _grid(shown, values, lowest, highest)
    notes = [] if shown else ["Nobody to compare."]
    if len(kept) < len(names):
        notes.append(f"The {len(kept)} most frequent of {len(names):,} names.")
    return picture(plot, height, _heat_words(shown, values), notes, width)


def forest(rows: Sequence[Row], band: tuple[float, float] | None = None, unit: str = "") -> str:
    """Draw effects with their intervals around zero: a line of text for each, its interval below it.

    Args:
        rows: name, value, low, high, and a text such as a q-value or a verdict. Value None is a dash, and its text may
            say why; an end that is None is not drawn; an infinite end runs off the plot.
        band: the effects that count as none; shaded.
        unit: of the values, written below the axis.

    Above `ROWS` rows the farthest from zero are drawn, and a note says so.
    """
    shown = list(rows)
    if len(shown) > ROWS:
        far = sorted(range(len(rows)), key=lambda i: -abs(number(rows[i][1]) or 0.0))[:ROWS]
        shown = [rows[i] for i in sorted(far)]
    inside = [n for row in shown for n in map(number, row[1:4]) if n is not None]
    x = Axis(*extent([*inside, 0.0, *(band or ())]), 8, WIDTH - 8)
    places = places_of(value for row in shown if (value := number(row[1])) is not None)
    values = [written(value, places) for row in shown if (value := number(row[1])) is not None]
    room = WIDTH - max(map(breadth, values), default=0) - 16
    tops = [20.0 if band else 4.0]
    marks = []
    for row in shown:
        mark, height = _effect(row, x, tops[-1], places, room)
        marks.append(mark)
        tops.append(tops[-1] + height)
    zone = [_zone(band, x, tops[0] - 4, tops[-1])] if band else []
    says = (
        f"Effects with their intervals, {len(rows):,} rows: {'; '.join(_effect_words(row, places) for row in shown)}."
    )
    band_says = f" Effects from {written(min(band))} to {written(max(band))} count as none." if band else ""
    cut = f"The {ROWS} farthest from zero of {len(rows):,}." if len(shown) < len(rows) else ""
    height = tops[-1] + (38 if unit else 22)
    return picture([*zone, *marks, bottom_axis(x, tops[-1], unit)], height, says + band_says, [cut])


def _grid(names: Sequence[str], values: Matrix, lowest: float, highest: float) -> tuple[list[str], float, float]:
    """Return the cells and both rows of names, the width and the height."""
    places = places_of(v for row in values for v in row if v is not None)
    texts = [["–" if v is None else written(v, places) for v in row] for row in values]
    least = max([24.0, *(breadth(text, 11) + 4 for row in texts for text in row)])
    short = [fit(name, max(60, min(96, (WIDTH - least * len(names)) / 1.75)), keep_end=True) for name in names]
    longest = max(map(breadth, short), default=0)
    left, lean = longest + 8, longest * math.sqrt(0.5)
    side = max(least, min(48.0, (WIDTH - left - lean) / max(1, len(names))))
    top = lean + 16
    parts = []
    for i, name in enumerate(short):
        x, y = left + side * (i + 0.5), top + side * (i + 0.5)
        parts.append(label(left - 8, y + 4, name, side="end"))
        parts.append(f'<g transform="translate({x:.1f} {top - 6:.1f}) rotate(-45)">{label(0, 0, name)}</g>')
        for j, (value, text) in enumerate(zip(values[i], texts[i], strict=True)):
            place = left + side * j, y - side / 2
            parts.append(_cell(*place, side, _colour(value, lowest, highest), text, f"{names[i]}, {names[j]}: {text}"))
    return (
        parts,
        max(float(WIDTH), left + side * len(names) + max(0.0, lean - side / 2) + 6),
        top + side * len(names) + 4,
    )


def _cell(x: float, y: float, side: float, colour: str, text: str, title: str) -> str:
    box = f'x="{x + 1:.1f}" y="{y + 1:.1f}" width="{side - 2:.1f}" height="{side - 2:.1f}" rx="2"'
    place = f'x="{x + side / 2:.1f}" y="{y + side / 2 + 4:.1f}" text-anchor="middle"'
    words = f'<text {place} style="font-size:11px">{text}</text>'
    return f"<g><title>{escape(plain(title))}</title><rect {box} {colour}/>{words}</g>"


def _colour(value: float | None, lowest: float, highest: float) -> str:
    """Return the fill: never so strong that the number on it, in the page's ink, could not be read."""
    if value is None or not highest > lowest:
        return 'fill="none"'
    if lowest < 0:
        share, ink = abs(value) / max(-lowest, highest), "other" if value < 0 else "mark"
    else:
        share, ink = (value - lowest) / (highest - lowest), "mark"
    return f'fill="var(--{ink})" fill-opacity="{0.04 + 0.5 * min(1.0, max(0.0, share)):.2f}"'


def _heat_words(names: Sequence[str], values: Matrix) -> str:
    pairs = [
        (v, f"{names[i]} and {names[j]} {written(v)}")
        for i, row in enumerate(values)
        for j, v in enumerate(row)
        if v is not None and i != j
    ]
    if not pairs:
        return f"A number for each pair of {len(names)} names; none is known."
    return f"A number for each pair of {len(names)} names: lowest {min(pairs)[1]}, highest {max(pairs)[1]}."


def _effect(row: Row, x: Axis, top: float, places: int, room: float) -> tuple[str, float]:
    """Draw one row and return its height: name, text and value, the text on its own line where it does not fit."""
    name, value, low, high, text = row
    known = number(value)
    shown = "–" if known is None else written(known, places)
    beside = breadth(name) + breadth(text, 11) + 10 <= room
    words = label(2, top + 13, fit(name, room)) + label(WIDTH - 2, top + 13, shown, side="end")
    words = f"<g><title>{escape(plain(name))}</title>{words}</g>"
    y = top + (14 if beside else 29)
    if beside:
        words += label(room + 4, top + 13, plain(text), side="end", ink="soft", size=11)
    else:
        words += label(2, top + 28, fit(text, WIDTH - 4, 11), ink="soft", size=11)
    if known is None:
        return words, y - top + 10
    zero = line(x.at(0), y + 3, x.at(0), y + 21, ink="soft")
    return f"{words}{zero}{_bar(known, (low, high), x, y + 12)}", y - top + 26


def _bar(value: float, ends: tuple[float | None, float | None], x: Axis, y: float) -> str:
    """Draw a value and its interval; a finite end has a stop, an infinite one runs off."""
    known = [end for end in ends if end is not None and not math.isnan(end)]
    reach = [x.at(value), *map(x.at, known)]
    bar = line(min(reach), y, max(reach), y, ink="mark", width=2) if known else ""
    stops = [x.at(end) for end in known if math.isfinite(end)]
    caps = "".join(line(place, y - 4, place, y + 4, ink="mark", width=2) for place in stops)
    return f'{bar}{caps}<circle cx="{x.at(value):.1f}" cy="{y:.1f}" r="4.5" fill="var(--mark)"/>'


def _effect_words(row: Row, places: int) -> str:
    value, low, high = ("–" if n is None or math.isnan(n) else written(n, places) for n in row[1:4])
    return f"{row[0]} {value} [{low}, {high}] {row[4]}".strip()


def _zone(band: tuple[float, float], x: Axis, top: float, foot: float) -> str:
    left, right = x.at(min(band)), x.at(max(band))
    name, half = "counts as none", breadth("counts as none", 11) / 2
    middle = min(max((left + right) / 2, half), WIDTH - half)
    box = f'x="{left:.1f}" y="{top:.1f}" width="{max(1.0, right - left):.1f}" height="{foot - top:.1f}"'
    words = label(middle, top - 4, name, side="middle", ink="soft", size=11)
    return f'<rect {box} fill="var(--mark)" fill-opacity="0.12"/>{words}'
