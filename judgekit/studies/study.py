"""A study: which ratings are read, how, and what is asked of the judge. One YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from judgekit import content
from judgekit.config import Config, load
from judgekit.errors import ConfigError

Names = Annotated[tuple[str, ...], Field(min_length=1)]
Format = Literal["table", "label_studio", "argilla", "inspect"]
Convention = Literal["missing is no", "missing is wrong"]


class Scale(Config):
    """The scale that people rated on.

    Attributes:
        step: the distance of two neighbouring values; without it any value may be given.
        higher_is_better: false turns every score round at the middle of the scale before anything is computed.
        labels: what the words of an ordered scale stand for, such as ``{No: 0, Partially: 1, Yes: 2}``.
    """

    low: float
    high: float
    step: Annotated[float, Field(gt=0)] | None = None
    higher_is_better: bool = True
    labels: dict[str, float] = {}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low={self.low:g} must be below high={self.high:g}")
        for label, score in self.labels.items():
            if not self.low <= score <= self.high:
                raise ValueError(f"the label {label!r} stands for {score:g}, off the scale")
        return self

    @property
    def two_valued(self) -> bool:
        """Whether there are two answers, such as yes and no."""
        return self.step == self.high - self.low


class ItemTable(Config):
    """What is known of the items, one row each.

    Attributes:
        file: relative to the data folder; ``format`` as in the ratings: an export names its items too.
        item, group, system: columns, or texts with columns in braces (``"{subset}/{number}"``); groups (the prompt, the
            story) are what intervals resample.
        text: the column of the judged text; its length is looked at in the bias audit, where every item has one.
        prompt: what the text answers; a judge that is run on the spot reads both.
    """

    file: str
    format: Format = "table"
    item: str = "item"
    group: str | None = None
    system: str | None = None
    text: str | None = None
    prompt: str | None = None


class RatingTable(Config):
    """Ratings, long (a row a score) or wide (a row an item and rater, a column a criterion).

    Attributes:
        format: a table, or the export of another program (`judgekit.studies.exports` lists the columns of each).
        kind: who rated; ``column`` when a column ``rater_kind`` says so (human or judge).
        item, rater: a column, or a text with columns in braces such as ``"{model} {prompt}"``; ``name``: of the only
            rater of the table, where no column says.
        criterion, score: the columns of a long table; ``criteria``: those of a wide one, as names or, where the column
            is called otherwise, as ``{criterion: column}``.
        repeat: the column that numbers the repeated judgments of one item.
        scale: where it is not the study's: a judge may have one of its own.
        off_scale: whether a score beyond the scale is refused, or left out and counted.
        only: rows that count: column -> values.
        group, system: as in the items' table, for data without one, and for what it does not tell.
    """

    file: str
    format: Format = "table"
    kind: Literal["human", "judge", "column"]
    item: str = "item"
    rater: str = "rater"
    name: str | None = None
    criterion: str | None = None
    score: str = "score"
    criteria: Names | Annotated[dict[str, str], Field(min_length=1)] | None = None
    repeat: str | None = None
    scale: Scale | None = None
    off_scale: Literal["refuse", "leave out"] = "refuse"
    only: dict[str, Names] = {}
    group: str | None = None
    system: str | None = None

    @model_validator(mode="after")
    def _long_or_wide(self) -> Self:
        if (self.criterion is None) == (self.criteria is None):
            raise ValueError("give 'criterion' (a long table: the column that names it) or 'criteria' (a wide one)")
        if self.criterion and self.format != "table":
            raise ValueError(f"an export ({self.format}) is wide: give 'criteria', the names of its questions")
        return self

    @property
    def columns(self) -> dict[str, str]:
        """The column of each criterion of a wide table."""
        return self.criteria if isinstance(self.criteria, dict) else {name: name for name in self.criteria or ()}


class Gates(Config):
    """What the judge must reach, on every criterion; `judgekit calibrate` fails where it does not.

    Attributes:
        within_group: least lower end of the correlation within groups; ``item``: of the one over all items.
        alpha: least lower end of Krippendorff's alpha between judge and the mean human.
        ceiling: least share of the human ceiling (leave one out) that the judge's correlation reaches.
        alt_test: whether the winning rate must be one half or more.
        error: greatest mean absolute error after calibration, on the human scale.
        unscored: greatest share of items without a verdict.
    """

    within_group: Annotated[float, Field(ge=-1, le=1)] | None = None
    item: Annotated[float, Field(ge=-1, le=1)] | None = None
    alpha: Annotated[float, Field(ge=-1, le=1)] | None = None
    ceiling: Annotated[float, Field(ge=0)] | None = None
    alt_test: bool = False
    error: Annotated[float, Field(gt=0)] | None = None
    unscored: Annotated[float, Field(ge=0, le=1)] = 0.05


class Study(Config):
    """A study as its YAML says it.

    Attributes:
        about: what the data are, in a sentence or two; it stands at the top of the report.
        simulated: the ratings are not of people; said wherever numbers are shown.
        source: where the tables are: files in the folder that the user gives, or ``storyworld``, which makes them on
            the spot (`judgekit.studies.generated`).
        criteria: which ones, in which order; without it all that the ratings have.
        judge: the rater in question, as its table names it; the other judges stand beside it. Without it one is run on
            the spot.
        level: of Krippendorff's alpha.
        epsilon: the advantage that the alt-test grants a judge for its lower cost.
        convention: how the publication of the data counts an item without a verdict, on a scale of two answers; the
            rates by it are given beside ours, which leave the item out and say so (`judgekit.studies.verdicts`).
    """

    about: str = ""
    simulated: bool = False
    source: Literal["files", "storyworld"] = "files"
    scale: Scale
    items: ItemTable | None = None
    ratings: Annotated[tuple[RatingTable, ...], Field(min_length=1)]
    criteria: Names | None = None
    judge: str = ""
    level: Literal["nominal", "ordinal", "interval", "ratio"] = "ordinal"
    epsilon: Annotated[float, Field(ge=0, lt=1)] = 0.1
    convention: Convention | None = None
    draws: Annotated[int, Field(ge=100)] = 2000
    seed: int = 0
    gates: Gates = Gates()

    @field_validator("criteria", mode="after")
    @classmethod
    def _once(cls, names: Any) -> Any:
        if names and len(set(names)) < len(names):
            raise ValueError("a criterion stands twice")
        return names

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.source == "storyworld" and not self.simulated:
            raise ValueError("the raters of the storyworld are simulated: say so with 'simulated: true'")
        if self.convention and not self.scale.two_valued:
            raise ValueError("'convention' is for a scale of two answers, such as {low: 0, high: 1, step: 1}")
        return self

    @classmethod
    def load(cls, name: str | Path) -> Self:
        """Read a study by its name (``hanna``) or its path.

        Raises:
            ConfigError: no such study, or a malformed one; names the file, the line and the nearest known name.
        """
        return load(find(str(name)), cls)


def find(name: str) -> Path:
    """Return the study.yaml that a name or a path means."""
    if (Path(name) / "study.yaml").is_file():
        name = str(Path(name) / "study.yaml")
    try:
        return content.find("calibration", name if Path(name).suffix == ".yaml" else f"{name}/study")
    except ConfigError as problem:
        raise ConfigError(str(problem).replace("/study'", "'")) from None
