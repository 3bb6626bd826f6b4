"""Pieces of the plots: axes with round ticks, labels that stay inside, dots that merge where they coincide.

A plot is drawn `WIDTH` units wide and shown at 335 px (a phone) to 416 px (two beside each other on a wide page), so
its 12-unit letters are read at 11 to 14 px. Colours are the page's variables: dark mode comes with the page.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from judgekit.errors import InputError

Numbers = Iterable[float | None]
Point = tuple[float, float]

WIDTH, LETTER = 360, 12
DISTINCT, CELL = 400, 8  # more places than DISTINCT are merged into cells of CELL units
WIDTHS = {0.98: "mwMWOQ@%—−+<>=", 0.41: "iljtfrIJ.,:;'|!()[]/- "}  # of letters, in ems, in a wide sans serif (DejaVu)


def number(value: float | None) -> float | None:
    """Return a number that can be drawn, or None for None, NaN, the infinite and what is beyond 1e100."""
    return None if value is None or not abs(value) < 1e100 else float(value)


def rows(**series: Numbers) -> list[tuple[float | None, ...]]:
    """Return the series side by side, one row per item.

    Raises:
        InputError: the series differ in length.
    """
    lists = {name: [number(value) for value in values] for name, values in series.items()}
    if len({len(values) for values in lists.values()}) > 1:
        lengths = ", ".join(f"{name} {len(values)}" for name, values in lists.items())
        raise InputError(f"the series of a plot must be of one length, got {lengths}")
    return list(zip(*lists.values(), strict=True))


def complete(**series: Numbers) -> tuple[list[tuple[float, ...]], int]:
    """Return the rows in which every series has a number, and how many rows that leaves out (see `rows`)."""
    given = rows(**series)
    found = [full for row in given if len(full := tuple(n for n in row if n is not None)) == len(row)]
    return found, len(given) - len(found)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from ``low`` to ``high`` on the picture's units from ``start`` to ``end`` (downwards: start > end)."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value stands; one beyond the axis stands at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """Return at most seven round numbers with their labels, fewer where the labels would touch."""
        if self.start > self.end:
            return round_numbers(self.low, self.high, 6)
        for most in (6, 4, 3, 2):
            found = round_numbers(self.low, self.high, most)
            spans = [(self.middle(*tick), breadth(tick[1]) / 2) for tick in found]
            if all(b - a >= left + right + 6 for (a, left), (b, right) in pairwise(spans)):
                return found
        return found[:1]

    def middle(self, value: float, text: str) -> float:
        """Return where the label of a value stands below the axis: under it, but within the picture."""
        half = breadth(text) / 2
        return min(max(self.at(value), half), WIDTH - half)


def extent(values: Iterable[float], pad: float = 0.05) -> Point:
    """Return the lowest and the highest value, a little apart from the outermost; equal values get room around them."""
    listed = list(values) or [0.0, 1.0]
    low, high = min(listed), max(listed)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-90):
        room = max(0.5, abs(low) * 0.01)
        return low - room, high + room
    return low - pad * (high - low), high + pad * (high - low)


def step(span: float, most: int) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that cuts ``span`` in at most ``most`` pieces."""
    ten: float = 10.0 ** math.floor(math.log10(span / most))
    return next(ten * f for f in (1, 2, 5, 10) if ten * f >= span / most * (1 - 1e-9))


def round_numbers(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return the multiples of a round step between two values, with labels that tell them apart."""
    by = step(high - low, most)
    values = [k * by for k in range(math.ceil(low / by - 1e-9), math.floor(high / by + 1e-9) + 1)]
    places, largest = max(0, -math.floor(math.log10(by) + 1e-9)), max(abs(low), abs(high))
    if largest < 1e7 and places <= 6:
        return [(value, written(value, places)) for value in values]
    figures = 2 + max(0, math.floor(math.log10(largest / by)))
    return [(value, f"{value:.{figures}g}".replace("-", "−")) for value in values]


def written(value: float, places: int | None = None) -> str:
    """Write a number with a real minus; ``places`` decimals, by default those of `places_of` the number itself."""
    size, places = abs(value), places_of([value]) if places is None else places
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞"
    far = size >= 1e7 or places > 6
    text = f"{value:.3g}" if far else f"{value:,.{places}f}"
    return text.lstrip("-") if not text.strip("-0.") else text.replace("-", "−")


def many(count: int, what: str) -> str:
    """Write a number of things."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def places_of(values: Iterable[float]) -> int:
    """Return the decimals that show about three figures of the largest of the values; none where all are zero."""
    largest = max(map(abs, values), default=0.0)
    return next((places for below, places in ((1e-99, 0), (0.0995, 4), (9.995, 2), (999.5, 1)) if largest < below), 0)


def breadth(text: str, size: float = LETTER) -> float:
    """Estimate how wide a text is; without the reader's font, so rather too wide than too narrow."""
    return size * sum(map(_ems, text))


def _ems(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    known = next((ems for ems, letters in WIDTHS.items() if letter in letters), None)
    return known or (0.77 if letter.isupper() or ord(letter) > 0x24F else 0.64)


def plain(text: str) -> str:
    """Return a text as one line; what XML cannot hold becomes U+FFFD."""
    return "".join("�" if unicodedata.category(c) in {"Cc", "Cs", "Cn"} else c for c in " ".join(text.split()))


def fit(text: str, room: float, size: float = LETTER, *, keep_end: bool = False) -> str:
    """Return the text as one line, cut with an ellipsis where it is wider than ``room``: at its end, or in the middle.

    Names of raters are cut in the middle: they often differ in their last letters alone.
    """
    head = plain(text)
    tail = ""
    if breadth(head, size) <= room:
        return head
    if keep_end:
        head, tail = head[: len(head) // 2], head[len(head) // 2 :]
    while head + tail and breadth(f"{head}…{tail}", size) > room:
        head, tail = (head[:-1], tail) if len(head) > len(tail) else (head, tail[1:])
    return f"{head.rstrip()}…{tail.lstrip()}"


def label(x: float, y: float, text: str, *, side: str = "start", ink: str = "ink", size: float = LETTER) -> str:
    """Return a text in one of the page's colours, or nothing for no text."""
    if not text:
        return ""
    style = f"fill:var(--{ink});font-size:{size:g}px"
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{side}" style="{style}">{escape(text)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, *, ink: str = "line", width: float = 1, dash: str = "") -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="var(--{ink})" stroke-width="{width:g}"{dashed}/>'


def bottom_axis(x: Axis, y: float, title: str, items: int | None = None) -> str:
    """Return the ticks, their labels, the title, and how many items there are, below a plot that ends at ``y``."""
    marks = [line(x.start, y, x.end, y, ink="soft")]
    for value, text in x.ticks():
        marks.append(line(x.at(value), y, x.at(value), y + 4, ink="soft"))
        marks.append(label(x.middle(value, text), y + 17, text, side="middle", ink="soft"))
    if items is not None:
        marks.append(label(WIDTH - 2, y + 34, many(items, "item"), side="end", ink="soft", size=11))
    return "".join(marks) + label((x.start + x.end) / 2, y + 34, fit(title, WIDTH), side="middle")


def left_axis(y: Axis, x: Axis, title: str) -> str:
    """Return thin lines across the plot with their labels; above it the title, not turned."""
    marks = [
        line(x.start, y.at(value), x.end, y.at(value))
        + label(x.start - 6, y.at(value) + 4, text, side="end", ink="soft")
        for value, text in y.ticks()
    ]
    return "".join(marks) + label(2, 12, title)


def margin(low: float, high: float) -> float:
    """Return the room that the labels of an upright axis need on its left."""
    return 10 + max((breadth(text) for _, text in round_numbers(low, high, 6)), default=0)


def merged(points: Sequence[Point], x: Axis, y: Axis) -> list[tuple[float, float, int]]:
    """Return the places of the dots and how many points each stands for: equal points, or those of one small cell."""
    counts = Counter((x.at(a), y.at(b)) for a, b in points)
    if len(counts) <= DISTINCT:
        return [(a, b, n) for (a, b), n in counts.items()]
    cells: dict[tuple[int, int], list[float]] = {}
    for (a, b), n in counts.items():
        sums = cells.setdefault((int(a // CELL), int(b // CELL)), [0.0, 0.0, 0.0])
        sums[0], sums[1], sums[2] = sums[0] + n * a, sums[1] + n * b, sums[2] + n
    return [(a / n, b / n, int(n)) for a, b, n in cells.values()]


def dots(points: Sequence[Point], x: Axis, y: Axis) -> tuple[str, str]:
    """Return the dots, their areas the numbers of points, and the note that says so where any stands for several."""
    places = sorted(merged(points, x, y), key=lambda place: -place[2])
    largest = places[0][2] if places else 1
    binned = len(set(points)) > len(places)
    unit = min(2.8, (0.55 * CELL if binned else 10) / math.sqrt(largest))
    marks = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{max(0.8, unit * math.sqrt(n)):.1f}"/>' for a, b, n in places
    )
    near = " near each other" if binned else ""
    note = f"Dot area: number of items{near}, {largest:,} at most." if largest > 1 else ""
    return f'<g fill="var(--soft)" fill-opacity="0.5">{marks}</g>', note


def path(points: Iterable[Point], x: Axis, y: Axis) -> str:
    """Return the places of a curve as SVG wants them; points closer than half a unit are drawn once."""
    places = [(round(2 * x.at(a)) / 2, round(2 * y.at(b)) / 2) for a, b in points]
    return " ".join(f"{a:g},{b:g}" for i, (a, b) in enumerate(places) if i == 0 or places[i - 1] != (a, b))


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places near the wanted ones, in their order, at least ``gap`` apart, within low and high if they fit."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places = list(wanted)
    edge = low
    for i in order:
        places[i] = edge = max(places[i], edge)
        edge += gap
    edge = high
    for i in reversed(order):
        places[i] = edge = min(places[i], edge)
        edge -= gap
    return places


def picture(parts: Iterable[str], height: float, says: str, notes: Iterable[str] = (), width: float = WIDTH) -> str:
    """Return the SVG: the parts, notes in full lines below them, and what it shows in words for who cannot see it.

    A picture wider than `WIDTH` keeps its size and is scrolled, so that its letters stay readable.
    """
    given = [note for note in notes if note]
    lines = wrapped(" ".join(given), width - 4)
    below = "".join(label(2, height + 14 + 15 * i, text, ink="soft", size=11) for i, text in enumerate(lines))
    tall = height + (15 * len(lines) + 6 if lines else 0)
    style = f' class="large" style="width:{width:.0f}px"' if width > WIDTH else ""
    box = f'viewBox="0 0 {width:.0f} {tall:.0f}" role="img" aria-label="{escape(plain(" ".join([says, *given])))}"'
    return f"<svg {box}{style}>{''.join(parts)}{below}</svg>"


def wrapped(text: str, room: float) -> list[str]:
    """Return the text in lines that are no wider than ``room``."""
    lines: list[str] = []
    for word in text.split():
        if lines and breadth(f"{lines[-1]} {word}", 11) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [fit(found, room, 11) for found in lines]
