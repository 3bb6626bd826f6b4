"""What is judged and how the parts make a whole: criteria, menus, weights, gates. A rubric is data, read from YAML."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, PrivateAttr, field_validator, model_validator

from judgekit import content
from judgekit.config import Config, load, problem, unknown
from judgekit.errors import ConfigError, RubricError
from judgekit.rubrics.template import Template, default_template, read_template

Number = Annotated[float, Field(allow_inf_nan=False)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Polarity = Literal["positive", "negative", "bonus", "penalty"]
SUBTRACTED = frozenset({"negative", "penalty"})
LONGEST_MENU = 1000
CATCH_ALLS = frozenset({"bonus", "penalty"})
GATE_FORM = re.compile(r"(positive|negative) > (\d{1,6}(?:\.\d{1,6})?) \* (positive|negative)")


class Criterion(Config):
    """One thing to judge, with the menu of values that a verdict may take.

    The menu is ``range`` in steps of ``step``; without a range it is the keys of ``anchors``, worst first: numbers
    stand for themselves, words for 0, 1, 2, ...

    Attributes:
        polarity: ``positive`` adds, ``negative`` subtracts; ``bonus`` and ``penalty`` do the same but are catch-alls
            that a gate's ``positive`` and ``negative`` sums leave out.
        quote_from: values from here up count only if the reply gives a quote (None: none is needed). That the quote
            stands in the text is not checked: judges shorten and mend what they quote.
    """

    id: Id
    title: str
    description: str = ""
    range: tuple[Number, Number] | None = None
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    anchors: dict[float | str, str] = {}
    polarity: Polarity = "positive"
    quote_from: Number | None = None

    @model_validator(mode="after")
    def _has_a_menu(self) -> Self:
        if self.range is None and "anchors" in self.model_fields_set and len(self.anchors) < 2:
            raise ValueError("anchors need at least two values (worst first), or give a range")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("range must be [lowest, highest] with lowest < highest")
        if self.range is not None and not _whole((self.range[1] - self.range[0]) / self.step):
            raise ValueError(f"step {self.step:g} does not reach the end of the range")
        if self.range is not None and (self.range[1] - self.range[0]) / self.step > LONGEST_MENU:
            raise ValueError(f"a menu has at most {LONGEST_MENU} values; use a larger step")
        if self.anchors and not all(text.strip() for text in self.anchors.values()):
            raise ValueError("an anchor has no text")
        off = [key for key in self.anchors if self.range is not None and key not in self.menu.values()]
        if off:
            raise ValueError(f"anchor {off[0]!r} is not on the menu {', '.join(self.menu)}")
        self._check_words([key for key in self.anchors if isinstance(key, str)])
        return self

    def _check_words(self, words: list[str]) -> None:
        if words and len(words) < len(self.anchors):
            raise ValueError("anchors are either all numbers or all words")
        if words and self.range is not None:
            raise ValueError("words are a menu of their own; leave out the range")
        if len({word.casefold() for word in words}) < len(words):
            raise ValueError("two anchors differ only in case, which a reply may not keep")
        for word in words:
            if re.fullmatch(r"[-+.\d]+", word.strip()):
                raise ValueError(
                    f"the anchor {word!r} is quoted, which makes it a word; write the number without quotes"
                )

    @cached_property
    def menu(self) -> dict[str, float]:
        """The values that a verdict may take, by the label under which the judge names them, lowest first."""
        if self.range is not None:
            low, high = self.range
            values = [round(low + i * self.step, 9) for i in range(round((high - low) / self.step) + 1)]
            return {f"{value:g}": value for value in values}
        if all(isinstance(key, str) for key in self.anchors):
            return {str(key): float(i) for i, key in enumerate(self.anchors)}
        return {f"{value:g}": value for value in sorted(float(key) for key in self.anchors)}

    @property
    def scale(self) -> tuple[float, float]:
        """Lowest and highest value on the menu."""
        values = list(self.menu.values())
        return values[0], values[-1]


class Gate(Config):
    """A cap on one criterion that holds when one side outweighs the other: ``when: negative > 0.5 * positive``."""

    criterion: Id
    cap: Number
    when: str

    @field_validator("when")
    @classmethod
    def _readable(cls, text: str) -> str:
        if not GATE_FORM.fullmatch(text):
            raise ValueError(f"{text!r} does not read like 'negative > 0.5 * positive'")
        return text

    def holds(self, positive: float, negative: float) -> bool:
        """Say whether the cap applies, given the sums of the positive and of the negative criteria."""
        sums = {"positive": positive, "negative": negative}
        left, factor, right = GATE_FORM.fullmatch(self.when).groups()  # type: ignore[union-attr]
        return sums[left] > float(factor) * sums[right]


class Rubric(Config):
    """Criteria, how they add up, and the prompt that puts them to a judge.

    Attributes:
        mode: ``pointwise`` scores one response on every criterion; ``pairwise`` compares two.
        aggregation: ``mean``: weighted mean of the criteria, on their common scale (or on [0, 1] if they have none);
            ``sum``: weighted sum, negative and penalty criteria subtracted.
        weights: weight by criterion; a criterion that is not named weighs 1.
        scores: pairwise only: the menu's range for the score of each response.
        ties: pairwise only: whether a tie is on the menu.
        strip: what is cut from the texts before judging: ``thinking`` blocks from responses, the last sentence that
            asks for a length ("about 800 words long") from the prompt.
        reply: ``json`` or ``lines`` ("Score: 4" on a line of its own, after the reasons).
        prompt: file with the prompt text, beside the rubric; the house's prompt for the mode and language if omitted.
    """

    id: str
    title: str
    description: str = ""
    source: str = ""
    language: Literal["en", "zh"] = "en"
    mode: Literal["pointwise", "pairwise"] = "pointwise"
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    aggregation: Literal["mean", "sum"] = "mean"
    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    gates: tuple[Gate, ...] = ()
    scores: tuple[int, int] = (1, 10)
    ties: bool = False
    strip: tuple[Literal["thinking", "length_request"], ...] = ("thinking",)
    reply: Literal["json", "lines"] = "json"
    prompt: str | None = None
    _template: Template | None = PrivateAttr(None)

    @classmethod
    def load(cls, name: str | Path) -> Rubric:
        """Read a rubric by its name (``story/hanna``) or its path (``my_rubric.yaml``).

        Raises:
            RubricError: no such rubric, or a malformed one; names the file, the line and the nearest known name.
        """
        try:
            path = content.find("rubrics", str(name))
        except ConfigError as error:
            raise RubricError(str(error)) from None
        rubric = load(path, cls, RubricError)
        return rubric.with_template(read_template(path, rubric.prompt, rubric.mode, rubric.language))

    def save(self, folder: Path) -> Path:
        """Write ``rubric.yaml`` and its prompt into ``folder``, such that `load` gives the same rubric."""
        data = _plain(self.model_dump(exclude_defaults=True) | {"prompt": "rubric.prompt.txt"})
        (folder / "rubric.prompt.txt").write_text(self.template.as_text(), encoding="utf-8")
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
        (folder / "rubric.yaml").write_text(text, encoding="utf-8")
        return folder / "rubric.yaml"

    def with_template(self, template: Template) -> Rubric:
        """Return the same rubric with another prompt."""
        rubric = self.model_copy()
        rubric._template = template
        return rubric

    @property
    def template(self) -> Template:
        """The prompt; a rubric made in Python has the house's one for its mode and language."""
        return self._template or default_template(self.mode, self.language)

    @field_validator("criteria")
    @classmethod
    def _distinct(cls, criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        seen: set[str] = set()
        for i, criterion in enumerate(criteria):
            if criterion.id in seen:
                raise problem(f"the criterion id {criterion.id!r} stands twice", i, "id")
            seen.add(criterion.id)
        return criteria

    @field_validator("prompt")
    @classmethod
    def _beside(cls, prompt: str | None) -> str | None:
        if prompt is not None and (Path(prompt).name != prompt or prompt == ".."):
            raise ValueError(f"{prompt!r} must be the name of a file in the same folder")
        return prompt

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        by_id = {criterion.id: criterion for criterion in self.criteria}
        for name in self.weights:
            if name not in by_id:
                raise unknown("criterion", name, by_id, "weights", name)
        for i, gate in enumerate(self.gates):
            if gate.criterion not in by_id:
                raise unknown("criterion", gate.criterion, by_id, "gates", i, "criterion")
            if by_id[gate.criterion].menu and not gate.cap >= by_id[gate.criterion].scale[0]:
                raise problem("the cap is below the criterion's lowest value", "gates", i, "cap")
        if self.mode == "pointwise":
            for i, criterion in enumerate(self.criteria):
                if not criterion.menu:
                    raise problem(f"criterion {criterion.id!r} needs a range or anchors", "criteria", i, "id")
        if self.aggregation == "mean" and (self.gates or any(c.polarity in CATCH_ALLS for c in self.criteria)):
            raise problem("gates, bonus and penalty need 'aggregation: sum'", "aggregation")
        if not self.scores[0] < self.scores[1]:
            raise problem("scores must be [lowest, highest] with lowest < highest", "scores")
        return self

    def weight(self, criterion: Criterion) -> float:
        """Return the weight of one criterion."""
        return self.weights.get(criterion.id, 1.0)

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Lowest and highest possible total; of the score of each response, where the rubric is pairwise."""
        if self.mode == "pairwise":
            return float(self.scores[0]), float(self.scores[1])
        if self.aggregation == "sum":
            signed = [
                (-high * w, -low * w) if c.polarity in SUBTRACTED else (low * w, high * w)
                for c in self.criteria
                for (low, high), w in [(c.scale, self.weight(c))]
            ]
            return math.fsum(low for low, _ in signed), math.fsum(high for _, high in signed)
        scales = {criterion.scale for criterion in self.criteria}
        return scales.pop() if len(scales) == 1 else (0.0, 1.0)

    def total(self, values: Mapping[str, float]) -> float:
        """Put the criteria together: gates first, then the weighted sum or mean on `scale`.

        Args:
            values: a value for every criterion, on the criterion's own scale.
        """
        gated = self.gated(values)
        if self.aggregation == "sum":
            return math.fsum(
                -gated[c.id] * self.weight(c) if c.polarity in SUBTRACTED else gated[c.id] * self.weight(c)
                for c in self.criteria
            )
        low, high = self.scale
        parts = [(self.weight(c), _unit(c, gated[c.id])) for c in self.criteria]
        mean = math.fsum(w * unit for w, unit in parts) / math.fsum(w for w, _ in parts)
        return low + (high - low) * mean

    def gated(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the values with every gate that holds applied."""
        positive = math.fsum(values[c.id] for c in self.criteria if c.polarity == "positive")
        negative = math.fsum(values[c.id] for c in self.criteria if c.polarity == "negative")
        capped = dict(values)
        for gate in self.gates:
            if gate.holds(positive, negative):
                capped[gate.criterion] = min(capped[gate.criterion], gate.cap)
        return capped


def _plain(value: Any) -> Any:
    """Return what YAML can hold: lists for tuples, 5 for 5.0."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unit(criterion: Criterion, value: float) -> float:
    low, high = criterion.scale
    unit = (value - low) / (high - low)
    return 1.0 - unit if criterion.polarity in SUBTRACTED else unit


def _whole(x: float) -> bool:
    return math.isclose(x, round(x), abs_tol=1e-9)
