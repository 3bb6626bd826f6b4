"""What ``judgekit policy compare`` says: in the terminal, as JSON, and on a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from judgekit.calibration import Elo, Estimate
from judgekit.cli.policy_tables import missing
from judgekit.cli.show import rows
from judgekit.judges import Judge
from judgekit.policy.evaluation import Evaluation, Line, compare, lacking
from judgekit.policy.evaluation.comparing import is_quality
from judgekit.policy.evaluation.filling import Progress
from judgekit.policy.evaluation.head_to_head import WIN_RATE, HeadToHead, head_to_head, judge_meeting, meeting, ratings
from judgekit.report import Page, forest

Lines = Mapping[str, Sequence[Line]]
Shown = tuple[str, Sequence[str], list[tuple[Any, ...]], list[str]]  # title, headings, lines, notes
FIGURES = ("value", "low", "high", "comparisons")
ABOUT = (
    "Differences are the second less the first, on what both have; intervals are 95 %, from resampling whole stories. "
    "q is p adjusted for all tests of a table (Benjamini & Hochberg), stars are of q: * .05, ** .01, *** .001."
)


@dataclass(frozen=True)
class Report:
    """Evaluations side by side.

    Attributes:
        names: of the evaluations, the base first.
        tables: each further one against the base; ``met``: the same before a judge, where one was asked.
        elo: of all of them, where there are three or more.
    """

    evaluations: Sequence[Evaluation]
    names: Sequence[str]
    tables: Sequence[Lines]
    met: Sequence[HeadToHead]
    elo: Elo | None

    @classmethod
    def of(cls, evaluations: Sequence[Evaluation], judge: Path | None, out: Path | None, progress: Progress) -> Report:
        """Compare evaluations, and let the judge compare their responses, if there is one."""
        names = _names(evaluations)
        tables = [compare(evaluations[0], other) for other in evaluations[1:]]
        if judge is None or out is None:
            return cls(evaluations, names, tables, (), None)
        asked, found = Judge.load(judge), {}
        for i, j in combinations(range(len(names)), 2):
            met = meeting(evaluations[i].responded, evaluations[j].responded)
            path = out / f"verdicts-{i + 1}-{j + 1}.jsonl"
            found[i, j] = met, judge_meeting(asked, met, path, progress=progress)
        heads = [head_to_head(*found[0, j]) for j in range(1, len(names))]
        return cls(evaluations, names, tables, heads, ratings(names, found) if len(names) > 2 else None)

    @property
    def facts(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "base": self.names[0],
            "against": [
                {
                    "name": name,
                    "tables": {title: [asdict(line) for line in lines] for title, lines in self.tables[i].items()},
                    "head_to_head": _head_facts(self.met[i]) if self.met else None,
                }
                for i, name in enumerate(self.names[1:])
            ],
            "elo": None if self.elo is None else {str(name): asdict(it) for name, it in self.elo.ratings.items()},
        }

    def show(self) -> None:
        """Print everything on stdout."""
        for heading, tables in self._sections():
            print(f"{heading}\n")
            for title, heads, lines, notes in tables:
                rows((title, *heads), lines)
                print("".join(f"{note}\n" for note in notes))

    @property
    def judged(self) -> bool:
        """Whether the judge, if one was asked, has a verdict on anything."""
        return not self.met or any(it.rows[WIN_RATE].estimate is not None for it in self.met)

    @property
    def page(self) -> Page:
        """The same as one HTML page, with its plots."""
        page = Page(f"{', '.join(self.names[1:])} against {self.names[0]}").text(ABOUT, soft=True)
        for i, (heading, tables) in enumerate(self._sections()):
            page.heading(heading)
            if i < len(self.tables):
                self._plots(page, i)
            for title, heads, lines, notes in tables:
                page.table((title, *heads), lines).notes(notes)
        for name, it in zip(self.names, self.evaluations, strict=True):
            page.heading(f"What is missing in {name}").notes(missing(it) if it.counts else ["Nothing."])
        return page

    def _plots(self, page: Page, i: int) -> None:
        whole = [line for line in next(iter(self.tables[i].values())) if line.contrast.difference is not None]
        for kind in (False, True):  # scores and shares have no axis in common
            shown = [_effect(line) for line in whole if is_quality(line.metric) == kind]
            if shown:
                page.figure(forest(shown), f"{self.names[i + 1]} less {self.names[0]}")
        if self.met:
            values = [(name, row.estimate) for name, row in self.met[i].rows.items()]
            page.intervals([(name, it.value, it.low, it.high) for name, it in values if it], chance=0.5)

    def _sections(self) -> Iterator[tuple[str, list[Shown]]]:
        base, *others = self.names
        for i, name in enumerate(others):
            found: list[Shown] = []
            for title, lines in self.tables[i].items():
                found.append((title, *_table(lines, base, name)))
            lost = lacking(self.evaluations[0], self.evaluations[i + 1])
            found[0][3].extend(f"only one of the two has it: {what}" for what in lost)
            if self.met:
                found.append((f"{name} before the judge", FIGURES, *_head(self.met[i])))
            yield f"{name} against {base}", found
        if self.elo is not None:
            yield "Elo", [("policy", ("Elo", "low", "high", "games of all"), _elo(self.elo), _elo_notes(self.elo))]


def _names(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return what they are called: by their folders, and by their paths where these have one name."""
    short = [it.folder.resolve().name for it in evaluations]
    return [name if short.count(name) == 1 else str(it.folder) for name, it in zip(short, evaluations, strict=True)]


def _table(lines: Sequence[Line], one: str, two: str) -> tuple[Sequence[str], list[tuple[Any, ...]], list[str]]:
    """Return headings, lines and notes; what always staying gets stands beside, where it is known of anything."""
    stays = any(line.always_stay for line in lines)
    heads = (one, two, *(("always stay",) if stays else ()), "difference", "low", "high", "p", "q", "", "left out")
    return heads, [_line(line, stays) for line in lines], _notes(lines)


def _line(line: Line, stays: bool) -> tuple[Any, ...]:
    it = line.contrast
    values = [None if one is None else str(one) for one in (line.one, line.two)]
    stay = [line.always_stay and line.always_stay.value] if stays else []
    return line.metric, *values, *stay, *_ends(it.difference), _p(it.p), _p(it.q), it.stars, it.left_out


def _ends(it: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if it is None else (it.value, it.low, it.high)


def _p(p: float | None) -> str | None:
    return None if p is None else "< .0001" if p < 0.0001 else f"{p:.4f}"


def _effect(line: Line) -> tuple[str, float | None, float | None, float | None, str]:
    q = _p(line.contrast.q)
    return line.metric, *_ends(line.contrast.difference), "" if q is None else f"q {q} {line.contrast.stars}".strip()


def _notes(lines: Sequence[Line]) -> list[str]:
    """Return what is to be said of the lines, each remark once with the metrics that it is about."""
    unpaired = max((line.contrast.unpaired for line in lines), default=0)
    found = [f"{unpaired} items are of one of the two alone, and left out"] if unpaired else []
    gaps = ((line.metric, line.contrast.reason, line.contrast.difference) for line in lines)
    said = ((metric, text) for metric, reason, gap in gaps for text in (reason, "" if gap is None else gap.note))
    return found + _grouped(said)


def _grouped(said: Iterable[tuple[str, str]]) -> list[str]:
    told: dict[str, list[str]] = {}
    for name, text in said:
        if text:
            told.setdefault(text, []).append(name)
    return [f"{', '.join(names)}: {text}" for text, names in told.items()]


# --- before a judge --------------------------------------------------------------------------------------------------


def _head_facts(it: HeadToHead) -> dict[str, Any]:
    met = {"comparisons": len(it.met.comparisons)} | {n: getattr(it.met, n) for n in ("missing", "unpaired", "alone")}
    figures = {name: asdict(row) for name, row in it.rows.items()}
    return {**met, "rows": figures, "p": it.p, "test": it.test, "reasons": dict(it.reasons)}


def _head(it: HeadToHead) -> tuple[list[tuple[Any, ...]], list[str]]:
    """Return the lines of a table and its notes."""
    lines = [(name, *_ends(row.estimate), row.estimate and row.estimate.n) for name, row in it.rows.items()]
    notes = [f"neither wins more often: p {_p(it.p)} ({it.test})" if it.p is not None else it.test]
    counts = {
        "pairs lack a response": it.met.missing,
        "responses have no fellow": it.met.unpaired,
        "prompts are of one of the two alone": it.met.alone,
    }
    notes += [f"{count} {what}, and are left out" for what, count in counts.items() if count]
    notes += [f"unscored: {count} x {reason}" for reason, count in it.reasons.items()]
    said = (
        (name, text)
        for name, row in it.rows.items()
        for text in (row.reason, row.estimate.note if row.estimate else "")
    )
    return lines, notes + _grouped(said)


def _elo(found: Elo) -> list[tuple[Any, ...]]:
    return [(name, *_ends(it), it.n) for name, it in found.ratings.items()]


def _elo_notes(found: Elo) -> list[str]:
    notes = ["each order of a comparison is a game; the mean over orders of the games, from 1000, k = 16"]
    if found.missing:
        notes.append(f"{found.missing} comparisons have no verdict in both orders, and are left out")
    return notes + [f"{name} has no game" for name in found.unseen]
