"""A picture of a story's graph: episodes in rows from the start down, numbered steps, and their triggers below."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from judgekit.episodes.graph import END, Episode, StoryGraph
from judgekit.episodes.prompt import WORDS
from judgekit.report.drawing import breadth, fit, label, plain

WIDE, TALL, GAP, ROW = 224, 84, 28, 64  # of a box, and between boxes and rows
END_WIDE, END_TALL = 64, 28
LANE, EDGE, TOP, LEAST = 26, 16, 36, 640  # between the lines that go back; left and right; above; the narrowest
LETTER, LEADING = 12, 17
UNIT = re.compile(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+")  # where a line may end: between Chinese characters too
STYLE = (
    "svg{--ink:#1b1b1b;--soft:#595959;--line:#8a8a8a;--paper:#ffffff;--box:#f3f1ea;background:#ffffff;"
    "font-family:system-ui,'Noto Sans','Noto Sans CJK SC',sans-serif}"
)
ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="#8a8a8a"/></marker>'
)
Place = tuple[str, str]  # an episode and "", or the end and the episode that leads to it: each has an end of its own


@dataclass(frozen=True, slots=True)
class Box:
    """Where something stands: the middle of its upper edge, its size and its row."""

    x: float
    y: float
    wide: float
    tall: float
    row: int


def draw(graph: StoryGraph) -> str:
    """Return the graph as one SVG that needs nothing else, with every trigger written out below it."""
    rows = _rows(graph)
    inner = max(LEAST, *(sum(_wide(place) + GAP for place in row) for row in rows))
    boxes = _boxes(rows, inner)
    steps = _steps(graph)
    back = [step for step in steps if boxes[step[1]].row <= boxes[step[0]].row]
    width = inner + LANE * len(back) + 2 * EDGE
    bottom = TOP + len(rows) * (TALL + ROW) - ROW
    lines = [_line(boxes, step, numbers, back, inner) for step, numbers in steps.items()]
    shapes = [_end(box) if place[0] == END else _box(graph, place[0], box) for place, box in boxes.items()]
    written = list(_written(graph, width - 2 * EDGE))
    texts = [label(EDGE, bottom + LEADING * (i + 1), text, size=LETTER) for i, text in enumerate(written)]
    height = bottom + LEADING * (len(written) + 1)
    says = escape(plain(f"Graph of {graph.story}: {len(graph.episodes)} episodes"))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{says}">'
    )
    return "".join([head, f"<style>{STYLE}</style><defs>{ARROW}</defs>", *lines, *shapes, *texts, "</svg>\n"])


def _rows(graph: StoryGraph) -> list[list[Place]]:
    """Return the places by the fewest steps from the start, so that every step leads one row down, or back."""
    rows: list[list[Place]] = [[(graph.start.id, "")]]
    seen = {graph.start.id}
    while True:
        below: list[Place] = []
        for name, source in rows[-1]:
            for after in graph.episode(name).successors if not source else ():
                if after == END:
                    below.append((END, name))
                elif after not in seen:
                    seen.add(after)
                    below.append((after, ""))
        if not below:
            return rows
        rows.append(below)


def _wide(place: Place) -> int:
    return END_WIDE if place[0] == END else WIDE


def _boxes(rows: Sequence[Sequence[Place]], inner: float) -> dict[Place, Box]:
    found: dict[Place, Box] = {}
    for n, row in enumerate(rows):
        x = EDGE + (inner - sum(_wide(place) + GAP for place in row) + GAP) / 2
        for place in row:
            tall = END_TALL if place[0] == END else TALL
            found[place] = Box(x + _wide(place) / 2, TOP + n * (TALL + ROW), _wide(place), tall, n)
            x += _wide(place) + GAP
    return found


def _steps(graph: StoryGraph) -> dict[tuple[Place, Place], list[int]]:
    """Return the numbers of the triggers of each step; they are counted through the whole story."""
    found: dict[tuple[Place, Place], list[int]] = {}
    numbered = ((episode, trigger) for episode in graph.episodes for trigger in episode.triggers)
    for number, (episode, trigger) in enumerate(numbered, 1):
        after = trigger.next_episode
        target = (END, episode.id) if after == END else (after, "")
        found.setdefault(((episode.id, ""), target), []).append(number)
    return found


def _line(
    boxes: Mapping[Place, Box],
    step: tuple[Place, Place],
    numbers: Sequence[int],
    back: Sequence[tuple[Place, Place]],
    inner: float,
) -> str:
    a, b = boxes[step[0]], boxes[step[1]]
    start, end = a.y + a.tall, b.y
    if step in back:  # around the rows, on the right
        k = back.index(step)
        lane, off = EDGE + inner + LANE * k, 10 + 4 * (k % 5)  # so that lines of one row do not fall together
        path = f"M{a.x + 30 + off:.1f} {start} v{off} H{lane:.1f} V{end - off} H{b.x + 30 + off:.1f} V{end}"
        return _path(path, ' stroke-dasharray="5 3"') + _mark(lane, (start + end) / 2, numbers)
    half = (end - start) / 2
    path = f"M{a.x:.1f} {start} C{a.x:.1f} {start + half} {b.x:.1f} {end - half} {b.x:.1f} {end}"
    t = 0.4  # where the number stands on the curve: nearer to the episode whose trigger it is
    share = 3 * t**2 - 2 * t**3
    y = start + 3 * (1 - t) ** 2 * t * half + 3 * (1 - t) * t**2 * half + t**3 * 2 * half
    return _path(path) + _mark(a.x + (b.x - a.x) * share, y, numbers)


def _path(path: str, dash: str = "") -> str:
    return f'<path d="{path}" fill="none" stroke="var(--line)" stroke-width="1.5" marker-end="url(#arrow)"{dash}/>'


def _mark(x: float, y: float, numbers: Sequence[int]) -> str:
    text = ",".join(map(str, numbers))
    wide = max(18.0, breadth(text, 11) + 8)
    shape = f'<rect x="{x - wide / 2:.1f}" y="{y - 9:.1f}" width="{wide:.1f}" height="18" rx="9" '
    return f'{shape}fill="var(--paper)" stroke="var(--line)"/>' + label(x, y + 4, text, side="middle", size=11)


def _end(box: Box) -> str:
    shape = f'<rect x="{box.x - box.wide / 2:.1f}" y="{box.y}" width="{box.wide}" height="{box.tall}" rx="14" '
    return f'{shape}fill="var(--soft)"/>' + label(box.x, box.y + 19, "-1", side="middle", ink="paper", size=LETTER)


def _box(graph: StoryGraph, name: str, box: Box) -> str:
    episode = graph.episode(name)
    left, room = box.x - box.wide / 2, box.wide - 20
    shape = f'<rect x="{left:.1f}" y="{box.y}" width="{box.wide}" height="{box.tall}" rx="6" '
    turns = _turns(graph, episode)
    head = label(left + 10, box.y + 20, fit(name, room - breadth(turns, 11) - 8, 14), size=14)
    head += label(left + box.wide - 10, box.y + 20, turns, side="end", ink="soft", size=11)
    lines = list(_lines(episode.goal, room))
    if len(lines) > 3:
        lines = [*lines[:2], fit("".join(lines[2:]), room, LETTER)]
    goal = (label(left + 10, box.y + 40 + LEADING * i, text, size=LETTER) for i, text in enumerate(lines))
    return f'{shape}fill="var(--box)" stroke="var(--ink)"/>{head}{"".join(goal)}'


def _turns(graph: StoryGraph, episode: Episode) -> str:
    return f"{episode.budget} 轮" if graph.language == "zh" else f"{episode.budget} turn{'s' * (episode.budget != 1)}"


def _written(graph: StoryGraph, room: float) -> Iterator[str]:
    """Yield the triggers in full, by number."""
    also, colon, _ = WORDS[graph.language]
    numbered = ((episode, trigger) for episode in graph.episodes for trigger in episode.triggers)
    for number, (episode, trigger) in enumerate(numbered, 1):
        text = f"{number}. {episode.id} → {trigger.next_episode}{colon}{also.join(trigger.conditions)}"
        yield from _lines(text, room)


def _lines(text: str, room: float) -> Iterator[str]:
    """Yield a text in lines no wider than ``room``; one word that is wider is cut."""
    line = ""
    for unit in UNIT.findall(plain(text)):
        if line and breadth(line + unit.rstrip(), LETTER) > room:
            yield line.rstrip()
            line = ""
        line = fit(line + unit, room, LETTER) if not line and unit.strip() else line + unit
    if line.strip():
        yield line.rstrip()
