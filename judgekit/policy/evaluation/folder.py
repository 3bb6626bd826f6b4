"""The folder of an evaluation: what was asked, answered, scored and played, and the tables of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from judgekit.calibration import Bootstrap
from judgekit.config import Config, load_json
from judgekit.episodes import Played
from judgekit.episodes.measures import Item, Value
from judgekit.episodes.metrics import Table
from judgekit.errors import InputError
from judgekit.files import writable
from judgekit.models import Decoding
from judgekit.policy.asked import Kind, kind_of_asked
from judgekit.policy.evaluation import diversity, episodebench, plays, polaris, responses, scoring
from judgekit.policy.evaluation.responses import Responded
from judgekit.policy.evaluation.scoring import Judged, Scores

FILE = "evaluation.json"
REASONS = 50  # told apart: each of many prompts may be too long in its own number of tokens


class Settings(Config):
    """What an evaluation was made with.

    Attributes:
        data: its name; ``left_out``: rows of it that could not be used, by reason.
        model, decoding, k: the policy, how it was sampled, and how often.
        band: the effective length that a turn should have; ``buckets``: upper ends of the requested lengths that
            stories are grouped by.
        judge: who scored; ``encoder``: what measured diversity; None where it was not asked.
        stories: how many were played.
    """

    kind: Kind
    data: str
    left_out: dict[str, int] = {}
    model: dict[str, Any] = {}
    decoding: Decoding = Decoding()
    k: int
    band: tuple[float, float] = episodebench.BAND
    buckets: tuple[int, ...] = polaris.BUCKETS
    judge: Judged | None = None
    encoder: str | None = None
    stories: int = 0


class _File(Config):
    settings: Settings
    counts: dict[str, dict[str, int]]
    tables: dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation as its files say it."""

    folder: Path
    settings: Settings
    responded: Sequence[Responded]
    scores: Scores | None = None
    diversity: Sequence[Value] | None = None
    played: Sequence[Played] = field(default_factory=tuple)

    @classmethod
    def read(cls, folder: Path, settings: Settings) -> Evaluation:
        """Read the files that an evaluation with these settings has written.

        Raises:
            InputError: one of them is missing, is not whole, or is of something else.
        """
        responded = responses.read_responses(folder / responses.FILE)
        scores = far = None
        if settings.judge is not None:
            scores = scoring.read_scores(folder / scoring.FILE, responded, settings.judge)
        if settings.encoder is not None:
            far = diversity.read_diversity(folder / diversity.FILE, responded, settings.encoder)
        played = plays.read_played(folder / plays.FILE) if settings.stories else []
        if len(played) != settings.stories:
            raise InputError(f"{folder / plays.FILE}: {len(played)} of {settings.stories} stories")
        return cls(folder, settings, responded, scores, far, played)

    @classmethod
    def load(cls, folder: str | Path) -> Evaluation:
        """Read a finished evaluation; or a folder with nothing but somebody else's ``responses.jsonl``.

        Raises:
            InputError: it is not finished, or a file is missing or not whole.
            ConfigError: evaluation.json is none.
        """
        path = Path(folder) / FILE
        if path.is_file():
            return cls.read(Path(folder), load_json(path, _File).settings)
        responded = responses.read_responses(Path(folder) / responses.FILE)
        if any(one.policy for one in responded):
            raise InputError(f"{path}: is not there; run judgekit policy evaluate to the end")
        kind = kind_of_asked([one.asked for one in responded])
        return cls(Path(folder), Settings(kind=kind, data=Path(folder).name, k=len(responded[0].responses)), responded)

    @cached_property
    def items(self) -> list[Item]:
        """What was measured on each turn."""
        return episodebench.turn_items(self.responded, self.settings.band, self.scores, self.diversity)

    @cached_property
    def stories(self) -> list[polaris.Story]:
        """What was measured on each prompt for a story."""
        return polaris.measure_stories(self.responded, self.scores)

    def tables(self, bootstrap: Bootstrap | None = None) -> dict[str, Table]:
        """Return every table by its name."""
        if self.settings.kind == "stories":
            return polaris.tables(self.stories, self.settings.buckets, bootstrap)
        return episodebench.tables(self.items, self.played, bootstrap)

    @property
    def empty(self) -> bool:
        """Whether there is not one response, or not one score where a judge was asked."""
        if all(text is None for one in self.responded for text in one.responses):
            return True
        return self.scores is not None and bool(np.isnan(self.scores.value).all())

    @property
    def counts(self) -> dict[str, Mapping[str, int]]:
        """What is missing and why: how often, by reason; of many different reasons the most frequent."""
        missing = Counter(error for one in self.responded for error in one.errors if error)
        stopped = Counter(one.stopped for one in self.played if one.stopped)
        found = {
            "not asked": self.settings.left_out,
            "no response": missing,
            "no score": self.scores.reasons if self.scores else {},
            "stories that did not end": stopped,
        }
        return {name: _frequent(counts) for name, counts in found.items() if counts}

    def save(self, tables: Mapping[str, Table]) -> Path:
        """Write ``evaluation.json``."""
        settings = self.settings.model_dump(mode="json")
        facts = {"settings": settings, "counts": self.counts, "tables": {n: asdict(t) for n, t in tables.items()}}
        writable(self.folder)
        path = self.folder / FILE
        path.write_text(json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        return path


def _frequent(counts: Mapping[str, int]) -> dict[str, int]:
    kept = dict(Counter(counts).most_common(REASONS))
    rest = sum(counts.values()) - sum(kept.values())
    return kept | ({"other reasons": rest} if rest else {})
