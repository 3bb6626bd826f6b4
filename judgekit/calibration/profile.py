"""The profile of a judge: how its scores map to those of people, and how far they can be trusted; one JSON file.

It is made by `judgekit.studies.profiles` and applied by `judgekit.judges.CalibratedJudge`. Plain numbers, no pickle.
The id is a hash of the content: it tells a changed file, not who made it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from judgekit.calibration.conformal import Conformal
from judgekit.calibration.estimate import Array
from judgekit.calibration.maps import Map, Reward, from_dict, reward_map
from judgekit.calibration.single import Ends, Point, Single, single, single_interval, single_reward
from judgekit.config import Config, load_json
from judgekit.errors import InputError, nearest

CLOSE = 1e-9  # of the scale: between a golden vector and what is computed now


def _of_dict(data: Any) -> Any:
    return from_dict(data) if isinstance(data, dict) else data


def _intervals_of_dict(data: Any) -> Any:
    return Conformal.from_dict(data) if isinstance(data, dict) else data


AsDict = PlainSerializer(lambda it: it and it.to_dict(), return_type=dict[str, Any] | None)
AnyMap = Annotated[Map, BeforeValidator(_of_dict), AsDict]
AnyReward = Annotated[Reward, BeforeValidator(_of_dict), AsDict]
AnyInterval = Annotated[Conformal | None, BeforeValidator(_intervals_of_dict), AsDict]
Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a profile makes of a judge's scores; arrays of shape (items,).

    Attributes:
        score: on the human scale; NaN for a missing score, as are the others.
        low, high: of the interval for the human score; NaN where the profile has none.
        reward: strictly rising in the judge's score.
        supported: whether the judge's score lies among those that the map was fitted on; not where it is missing.
    """

    score: Array
    low: Array
    high: Array
    reward: Array
    supported: NDArray[np.bool_]


class Figure(Config):
    """A figure of quality with its 95 % interval; ``note``: what to know before trusting it."""

    value: Number
    low: Number | None = None
    high: Number | None = None
    n: int
    note: str = ""


class Golden(Config):
    """What one score of the judge was mapped to when the profile was made."""

    raw: Number
    score: Number
    low: Number | None
    high: Number | None
    reward: Number
    supported: bool


class Calibrated(Config):
    """One criterion.

    Attributes:
        of: what the map is put on: the judge's value for the ``criterion``, the ``mean`` of its values for all criteria
            of the profile, or its own overall ``value``. The last two give the overall score.
        map: to the human scale; ``support``: the scores that it was fitted on; ``reward``: its strictly rising twin.
        interval: for the human score of one item; None where there is none, and ``unknown`` says why.
        quality: figures by name; ``unknown``: those that the data did not give, with the reason.
        golden: scores in and outside of the support with what became of them, to be computed again.
    """

    of: Literal["criterion", "mean", "value"]
    map: AnyMap
    reward: AnyReward
    interval: AnyInterval
    quality: dict[str, Figure]
    unknown: dict[str, str]
    golden: Annotated[tuple[Golden, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _of_one_score(self) -> Self:
        maps = (self.map, *(self.interval.maps if self.interval else ()))
        if any(len(one.support) != 1 for one in maps) or len(self.reward.slopes) != 1:
            raise ValueError("a profile maps one score, not several columns")
        if self.interval and self.interval.by_category:
            raise ValueError("the interval of a profile is not by category")
        return self

    @classmethod
    def made(
        cls,
        of: Literal["criterion", "mean", "value"],
        fitted: Map,
        interval: Conformal | None,
        quality: Mapping[str, Figure],
        unknown: Mapping[str, str],
    ) -> Calibrated:
        """Return the criterion with its reward and its golden vectors."""
        low, high = fitted.support[0]
        beyond = (high - low) / 4 or 1.0
        raws = [low - beyond, low, (low + high) / 2, high, high + beyond]
        reward = reward_map(fitted)
        golden = tuple(_golden(raws, _applied(fitted, reward, interval, raws)))
        return cls(
            of=of,
            map=fitted,
            reward=reward,
            interval=interval,
            quality=dict(quality),
            unknown=dict(unknown),
            golden=golden,
        )

    @property
    def support(self) -> tuple[float, float]:
        """The lowest and the highest score that the map was fitted on."""
        return self.map.support[0]

    def apply(self, raw: ArrayLike) -> Applied:
        """Apply map, interval and reward to the judge's scores, shape (items,); NaN is missing."""
        return _applied(self.map, self.reward, self.interval, raw)

    def one(self, raw: float) -> Point:
        """Apply them to one score, which must not be NaN: what `apply` gives, in a few microseconds."""
        score, ends, reward = self._singles
        low, high = self.support
        return Point(score(raw), *ends(raw), reward(raw), low <= raw <= high)

    @cached_property
    def _singles(self) -> tuple[Single, Callable[[float], Ends], Single]:
        return single(self.map), single_interval(self.interval), single_reward(self.reward)

    def changed(self) -> list[str]:
        """Return, in words, each golden vector that comes out differently now."""
        raws = [vector.raw for vector in self.golden]
        now = _golden(raws, self.apply(raws))
        slack = CLOSE * (self.map.scale[1] - self.map.scale[0])
        return [
            f"the score {was.raw:g} became {_words(was)} when it was made, and becomes {_words(new)} now"
            for was, new in zip(self.golden, now, strict=True)
            if not _alike(was, new, slack)
        ]


class Rater(Config):
    """The judge: its name in the ratings, and its fingerprint; None where the ratings were only recorded."""

    name: str
    fingerprint: str | None = None


class Scale(Config):
    """The scale of the people; ``step``: between neighbouring values, None where any could be given."""

    low: Number
    high: Number
    step: Number | None = None


class Data(Config):
    """What it was fitted on; ``sha256``: of the ratings as they were read; ``simulated``: no people gave them."""

    items: int
    groups: int
    raters: int
    sha256: str
    simulated: bool


class Fit(Config):
    """How it was fitted: the version of judgekit, the seed, and the draws of the bootstrap."""

    version: str
    seed: int
    draws: int


class GateResult(Config):
    """A demand of the study on one criterion, what was reached, and whether that is enough."""

    criterion: str
    name: str
    wanted: str
    got: Number | None
    passed: bool
    reason: str = ""


class Profile(Config):
    """A judge's calibration.

    Attributes:
        id: hash of all the rest; `Profile.sealed` computes it.
        criteria: by name; ``unmapped``: those that no map could be fitted to, with the reason.
    """

    form: Literal["judgekit.profile/1"] = Field("judgekit.profile/1", alias="schema")
    id: str
    created: date
    expires: date
    judge: Rater
    scale: Scale
    criteria: Annotated[dict[str, Calibrated], Field(min_length=1)]
    unmapped: dict[str, str]
    data: Data
    fit: Fit
    gates: tuple[GateResult, ...]

    @field_validator("criteria")
    @classmethod
    def _one_overall(cls, criteria: dict[str, Calibrated]) -> dict[str, Calibrated]:
        overall = [name for name, it in criteria.items() if it.of != "criterion"]
        if len(overall) > 1 or (len(criteria) > 1 and not overall):
            raise ValueError("of several criteria exactly one gives the overall score, from the 'mean' or the 'value'")
        return criteria

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        for name, it in self.criteria.items():
            scales = {it.map.scale, *([it.interval.scale] if it.interval else [])}
            if scales != {(self.scale.low, self.scale.high)}:
                raise ValueError(f"{name} is mapped to another scale than that of the profile")
        return self

    @classmethod
    def sealed(cls, **content: Any) -> Self:
        """Return the profile of this content, with its id."""
        draft = cls(id="", **content)
        return draft.model_copy(update={"id": draft.digest()})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a profile. Whether it is sound and of today, `check` says.

        Raises:
            ConfigError: no such file, no JSON, an unknown key or a wrong value; names the place and the nearest name.
        """
        return load_json(path, cls)

    def save(self, path: str | Path) -> Path:
        """Write the profile, whole or not at all; a file of that name is replaced.

        Raises:
            InputError: it cannot be written.
        """
        path = Path(path)
        lines = [f"{json.dumps(key)}: {_json(value)}" for key, value in self._content().items()]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        try:
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as draft:
                draft.write(text)
            os.chmod(draft.name, 0o644)  # a temporary file is its owner's alone
            os.replace(draft.name, path)
        except OSError as problem:
            raise InputError(f"{path}: {problem.strerror}") from None
        return path

    @property
    def overall(self) -> str:
        """The criterion that gives the overall score: the only one, or the one from the mean or the value."""
        return next((name for name, it in self.criteria.items() if it.of != "criterion"), next(iter(self.criteria)))

    @property
    def parts(self) -> tuple[str, ...]:
        """The judge's criteria that the profile was made with, mapped or not."""
        return (*(name for name, it in self.criteria.items() if it.of == "criterion"), *self.unmapped)

    def apply(self, criterion: str, raw: ArrayLike) -> Applied:
        """Apply the map, the interval and the reward of a criterion to the judge's scores, shape (items,).

        Raises:
            InputError: the profile has no such criterion.
        """
        if criterion not in self.criteria:
            raise InputError(f"the profile has no criterion {criterion!r}{nearest(criterion, self.criteria)}")
        return self.criteria[criterion].apply(raw)

    def digest(self) -> str:
        """Return the hash of the content without the id."""
        content = {key: value for key, value in self._content().items() if key != "id"}
        return f"sha256:{hashlib.sha256(_json(content, sort=True).encode()).hexdigest()}"

    def check(self, today: date) -> list[str]:
        """Return, in words, what speaks against using the profile; an empty list where nothing does."""
        found = []
        if self.id != self.digest():
            found.append("its content is not the one that its id was made of: somebody has changed the file")
        if self.created > today:
            found.append(f"it is of {self.created}, which is yet to come")
        if today > self.expires:
            found.append(f"it expired on {self.expires}; calibrate the judge again")
        for name, it in self.criteria.items():
            found += [f"{name}: {words}" for words in it.changed()]
        return found

    def remarks(self) -> list[str]:
        """Return, in words, what whoever uses the profile should know, and what does not speak against its use."""
        found = ["its raters were simulated"] if self.data.simulated else []
        failed = [f"{gate.criterion}: {gate.wanted}" for gate in self.gates if not gate.passed]
        return found + ([f"gates of its study failed ({'; '.join(failed)})"] if failed else [])

    def _content(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)


def _applied(fitted: Map, reward: Reward, interval: Conformal | None, raw: ArrayLike) -> Applied:
    score = fitted.apply(raw)
    none = np.full(len(score), np.nan)
    low, high = interval.interval(raw) if interval else (none, none)
    return Applied(score, low, high, reward.apply(raw), fitted.supported(raw))


def _golden(raws: Iterable[float], applied: Applied) -> list[Golden]:
    arrays = (applied.score, applied.low, applied.high, applied.reward, applied.supported)
    return [
        Golden(raw=raw, score=score, low=_known(low), high=_known(high), reward=reward, supported=supported)
        for raw, score, low, high, reward, supported in zip(raws, *(array.tolist() for array in arrays), strict=True)
    ]


def _alike(was: Golden, new: Golden, slack: float) -> bool:
    pairs = [(getattr(was, name), getattr(new, name)) for name in ("score", "low", "high", "reward")]
    near = all(a == b or (a is not None and b is not None and abs(a - b) <= slack) for a, b in pairs)
    return near and was.supported == new.supported


def _words(it: Golden) -> str:
    interval = "" if it.low is None or it.high is None else f" ({it.low:.6g} to {it.high:.6g})"
    return f"{it.score:.6g}{interval}, reward {it.reward:.6g}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _json(value: Any, *, sort: bool = False) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=sort, separators=(",", ":"))
