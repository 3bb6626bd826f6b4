"""The plots of a calibration report: each takes numbers and returns one SVG for `judgekit.report.Page.figure`.

None, NaN and the infinite are "not there": left out, counted, and said in a note under the plot. What is too much to
draw one by one is merged or cut, and the note says that too; a screen reader hears the same in the ``aria-label``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from judgekit.report.drawing import (
    WIDTH,
    Axis,
    Numbers,
    Point,
    apart,
    bottom_axis,
    breadth,
    complete,
    dots,
    extent,
    label,
    left_axis,
    line,
    many,
    margin,
    number,
    path,
    picture,
    places_of,
    rows,
    step,
    written,
)

TOP, SIDE = 22, 70  # above a plot: its upright axis's title; right of it: the names of its lines
BARS = 60  # more intervals than this hide each other


def reliability(
    judge: Numbers,
    human_mean: Numbers,
    curve_x: Numbers,
    curve_y: Numbers,
    low: Numbers | None,
    high: Numbers | None,
    *,
    same_scale: bool = True,
) -> str:
    """Draw judge scores against mean human scores, the fitted map with its band, and the identity.

    Below stand bars: how often the judge gave which score.

    Args:
        judge, human_mean: one number per item.
        curve_x, curve_y: the fitted map, judge score to human score; empty where there is none.
        low, high: the band of the map at ``curve_x``; None where there is none.
        same_scale: whether the judge scores on the humans' scale, so that both axes have one range and the identity
            means something. Otherwise each has its own, there is no identity, and a note says so.

    Raises:
        InputError: two series that belong together differ in length.
    """
    points, missing = _points(complete(judge=judge, human_mean=human_mean))
    xs = list(curve_x)
    curve, _ = _points(complete(curve_x=xs, curve_y=curve_y))
    bounds = [] if low is None or high is None else complete(curve_x=xs, low=low, high=high)[0]
    curve, bounds = sorted(curve), sorted(bounds)
    across = extent([a for a, _ in points + curve])
    up = extent([b for _, b in points + curve] + [v for row in bounds for v in row[1:]])
    if same_scale:
        across = up = min(across[0], up[0]), max(across[1], up[1])
    x, y = _axes(across, up)
    marks, crowded = dots(points, x, y)
    parts = [left_axis(y, x, "mean human score"), _band(bounds, x, y), marks]
    parts += [_named_lines(curve, same_scale, x, y), _strip([a for a, _ in points], x, y.start + 6)]
    parts.append(bottom_axis(x, y.start + 36, "judge score", len(points)))
    notes = [_left_out(missing, "without both scores"), crowded]
    notes.append("" if same_scale else "Judge and humans use different scales: no identity line.")
    return picture(parts, y.start + 76, _reliability_words(points, curve, bounds), notes)


def bland_altman(
    mean: Numbers, difference: Numbers, bias: float | None, limits: tuple[float | None, float | None]
) -> str:
    """Draw judge minus human against the mean of both, with the bias and the limits of agreement (Bland & Altman 1986).

    Args:
        mean, difference: one number per item.
        bias: the mean difference; None where it is not known.
        limits: the lower and the upper limit of agreement, None where not known.

    Raises:
        InputError: mean and difference differ in length.
    """
    points, missing = _points(complete(mean=mean, difference=difference))
    named = [("bias", number(bias)), ("limit", number(limits[0])), ("limit", number(limits[1]))]
    levels = [(name, value) for name, value in named if value is not None]
    decimals = places_of([value for _, value in levels])
    texts = [f"{name} {written(value, decimals)}" for name, value in levels]
    up = extent([b for _, b in points] + [v for _, v in levels] + [0.0])
    x, y = _axes(extent(a for a, _ in points), up, max(map(breadth, texts), default=0) + 8)
    marks, crowded = dots(points, x, y)
    parts = [left_axis(y, x, "judge − human"), line(x.start, y.at(0), x.end, y.at(0), ink="soft"), marks]
    places = apart([y.at(value) for _, value in levels], 15, y.end, y.start)
    for (name, value), text, place in zip(levels, texts, places, strict=True):
        dash = "" if name == "bias" else "5 4"
        parts.append(line(x.start, y.at(value), x.end, y.at(value), ink="mark", width=1.75, dash=dash))
        parts.append(label(x.end + 6, place + 4, text, ink="mark"))
    parts.append(bottom_axis(x, y.start, "mean of judge and human", len(points)))
    words = ", ".join(texts) or "no bias or limits known"
    says = f"Difference of judge and human against their mean, {many(len(points), 'item')}: {words}."
    return picture(parts, y.start + 40, says, [_left_out(missing, "without both numbers"), crowded])


def coverage(nominal: Numbers, found: Numbers, low: Numbers, high: Numbers) -> str:
    """Draw the found coverage of intervals, shares in [0, 1], against the nominal, each with its own interval.

    An interval may be missing (None); more than `BARS` of them are not drawn, and a note says so.

    Raises:
        InputError: the four series differ in length.
    """
    listed = rows(nominal=nominal, found=found, low=low, high=high)
    full = [(a, b, lo, hi) for a, b, lo, hi in listed if a is not None and b is not None]
    reach = extent(v for row in full for v in row if v is not None)
    x, y = _axes(reach, reach)
    parts = [left_axis(y, x, "found coverage"), _diagonal(x, y, "exact", y.end)]
    crowd, crowded = dots([(a, b) for a, b, _, _ in full], x, y) if len(full) > BARS else ("", "")
    parts.append(crowd or "".join(_covered(x, y, *row) for row in full))
    parts.append(bottom_axis(x, y.start, "nominal coverage"))
    pairs = "; ".join(f"{written(b, 3)} at {written(a, 3)}" for a, b, _, _ in full[:12])
    says = f"Found against nominal coverage, {many(len(full), 'interval')}: {pairs}{'; …' if len(full) > 12 else ''}."
    notes = [_left_out(len(listed) - len(full), "without a coverage"), crowded]
    return picture(parts, y.start + 40, says, [*notes, "Too many to draw their intervals." if crowd else ""])


def steps(
    x: Numbers, y: Numbers, low: Numbers, high: Numbers, titles: tuple[str, str], level: tuple[str, float | None]
) -> str:
    """Draw values at a few places, each with its interval, and a named level across that they are held against.

    Args:
        x: where, in rising order; low, high: None where there is no end. ``titles``: of the axes.
        level: its name and value; with None it is not drawn.

    Raises:
        InputError: the four series differ in length.
    """
    listed = rows(x=x, y=y, low=low, high=high)
    full = [(a, b, lo, hi) for a, b, lo, hi in listed if a is not None and b is not None]
    name, mark = level[0], number(level[1])
    reach = extent([v for row in full for v in row[1:] if v is not None] + ([] if mark is None else [mark]))
    across, up = _axes(extent(row[0] for row in full), reach)
    parts = [left_axis(up, across, titles[1])]
    if mark is not None:
        parts.append(line(across.start, up.at(mark), across.end, up.at(mark), ink="soft", dash="4 4"))
        parts.append(label(across.end + 4, up.at(mark) + 4, name, ink="soft", size=11))
    way = path([(a, b) for a, b, _, _ in full], across, up)
    parts.append(f'<polyline points="{way}" fill="none" stroke="var(--mark)" stroke-width="1.5"/>')
    parts += [_covered(across, up, *row) for row in full]
    parts.append(bottom_axis(across, up.start, titles[0]))
    pairs = "; ".join(f"{written(b, 3)} at {written(a, 3)}" for a, b, _, _ in full)
    held = "" if mark is None else f"; {name}: {written(mark, 3)}"
    says = f"{titles[1]} against {titles[0]}: {pairs}{held}."
    return picture(parts, up.start + 40, says, [_left_out(len(listed) - len(full), "without a value")])


def histogram_pair(human: Numbers, judge: Numbers) -> str:
    """Draw how humans and judge use the scale: two rows of bars over one axis, as shares of each one's scores."""
    series = {name: complete(scores=values) for name, values in (("human", human), ("judge", judge))}
    values = {name: [row[0] for row in found] for name, (found, _) in series.items()}
    x = Axis(*extent(values["human"] + values["judge"]), 8, WIDTH - 8)
    every, width, binned = _bins(values["human"] + values["judge"], x)
    parts, says = [], []
    for row, (name, ink) in enumerate((("human", "other"), ("judge", "mark"))):
        bars, words = _row_of_bars(values[name], every, width, x, 96 * row + 96, ink)
        parts += [label(2, 96 * row + 14, f"{name}, {many(len(values[name]), 'score')}", ink=ink), bars]
        says.append(f"{name}, {many(len(values[name]), 'score')}{words}")
    missing = _left_out(sum(out for _, out in series.values()), "without a number")
    notes = [f"Each bar holds {every:g} of the scale." if binned else "", missing]
    return picture([*parts, bottom_axis(x, 192, "score")], 232, f"How the scale is used: {'; '.join(says)}.", notes)


def _points(found: tuple[list[tuple[float, ...]], int]) -> tuple[list[Point], int]:
    return [(row[0], row[1]) for row in found[0]], found[1]


def _left_out(count: int, why: str) -> str:
    return f"{count:,} {why}, left out." if count else ""


def _axes(across: Point, up: Point, right: float = SIDE) -> tuple[Axis, Axis]:
    left = margin(*up)
    side = WIDTH - left - right
    return Axis(*across, left, WIDTH - right), Axis(*up, TOP + side, TOP)


def _band(bounds: Sequence[tuple[float, ...]], x: Axis, y: Axis) -> str:
    if not bounds:
        return ""
    rim = path([(a, lo) for a, lo, _ in bounds] + [(a, hi) for a, _, hi in reversed(bounds)], x, y)
    return f'<polygon points="{rim}" fill="var(--mark)" fill-opacity="0.2"/>'


def _diagonal(x: Axis, y: Axis, name: str, place: float) -> str:
    ends = x.at(x.low), y.at(y.low), x.at(x.high), y.at(y.high)
    return line(*ends, ink="soft", dash="4 4") + label(x.end + 4, place + 4, name, ink="soft", size=11)


def _named_lines(curve: Sequence[Point], shared: bool, x: Axis, y: Axis) -> str:
    """Draw map and identity, each named at its end, the names kept apart."""
    if not curve:
        return _diagonal(x, y, "identity", y.end) if shared else ""
    ends = apart([y.at(curve[-1][1]), y.end], 15, y.end, y.start) if shared else [y.at(curve[-1][1])]
    way = f'<polyline points="{path(curve, x, y)}" fill="none" stroke="var(--mark)" stroke-width="2"/>'
    only = f'<circle cx="{x.at(curve[0][0]):.1f}" cy="{y.at(curve[0][1]):.1f}" r="4" fill="var(--mark)"/>'
    name = label(x.end + 4, ends[0] + 4, "fitted map", ink="mark", size=11)
    return (_diagonal(x, y, "identity", ends[1]) if shared else "") + (way if len(curve) > 1 else only) + name


def _reliability_words(points: Sequence[Point], curve: Sequence[Point], bounds: Sequence[object]) -> str:
    says = f"Judge score against mean human score, {many(len(points), 'item')}"
    if points:
        (a, b), (c, d) = ((written(min(v)), written(max(v))) for v in zip(*points, strict=True))
        says += f": judge {a} to {b}, human {c} to {d}"
    if curve:
        ends = " and ".join(f"{written(a)} to {written(b)}" for a, b in (curve[0], curve[-1]))
        says += f". The fitted map takes {ends}{', drawn with its band' if bounds else ''}"
    return says + "."


def _strip(values: Sequence[float], x: Axis, top: float) -> str:
    """Draw the judge's scores as a low histogram along the axis."""
    every, width, _ = _bins(values, x)
    bars = _counted(values, every)
    most = max(bars.values(), default=1)
    marks = "".join(_bar(x.at(v), width, top + 30, 28 * n / most) for v, n in bars.items())
    return f'<g fill="var(--soft)" fill-opacity="0.6">{marks}</g>'


def _bins(values: Sequence[float], x: Axis) -> tuple[float, float, bool]:
    """Return the width of a bar in values (0: one bar for each value) and in units, and whether values were binned."""
    places = sorted({x.at(value) for value in values})
    gap = min((b - a for a, b in pairwise(places)), default=30.0)
    if gap >= 5:
        return 0.0, min(24.0, 0.8 * gap), False
    every = step(x.high - x.low, 40)
    return every, 0.86 * every / (x.high - x.low) * (x.end - x.start), True


def _counted(values: Iterable[float], every: float) -> dict[float, int]:
    """Count values by themselves, or by the bin that holds them, under its middle."""
    return dict(Counter(value if not every else (value // every + 0.5) * every for value in values))


def _bar(middle: float, width: float, foot: float, height: float) -> str:
    tall = max(0.6, height)
    return f'<rect x="{middle - width / 2:.1f}" y="{foot - tall:.1f}" width="{width:.1f}" height="{tall:.1f}"/>'


def _row_of_bars(
    values: Sequence[float], every: float, width: float, x: Axis, foot: float, ink: str
) -> tuple[str, str]:
    """Return a row of bars with the share of the most frequent written on it, and that in words."""
    bars = _counted(values, every)
    if not bars:
        return label(WIDTH / 2, foot - 20, "no scores", side="middle", ink="soft"), ""
    most, count = max(bars.items(), key=lambda bar: bar[1])
    marks = "".join(_bar(x.at(v), width, foot, 56 * n / count) for v, n in bars.items())
    share = f"{100 * count / len(values):.0f} %"
    place = min(max(x.at(most), 22), WIDTH - 22)
    base = line(x.start, foot, x.end, foot)
    text = label(place, foot - 60, share, side="middle", size=11)
    return (
        f'<g fill="var(--{ink})">{marks}</g>{base}{text}',
        f", {share} of them {'near' if every else 'at'} {written(most)}",
    )


def _covered(x: Axis, y: Axis, nominal: float, found: float, low: float | None, high: float | None) -> str:
    bar = ""
    if low is not None and high is not None:
        bar = line(x.at(nominal), y.at(low), x.at(nominal), y.at(high), ink="mark", width=1.5)
    dot = f'<circle cx="{x.at(nominal):.1f}" cy="{y.at(found):.1f}" r="4" fill="var(--mark)">'
    return f"{bar}{dot}<title>{written(found, 3)} at {written(nominal, 3)}</title></circle>"
