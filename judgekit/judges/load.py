"""judge.yaml -> judge, and back. One class a kind of judge; relative paths are relative to the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

import yaml
from pydantic import Field, model_validator

from judgekit.config import Config, beside, beside_all, load
from judgekit.errors import ConfigError, InputError
from judgekit.judges.base import Judge
from judgekit.judges.calibrated import CalibratedJudge, OnProblem
from judgekit.judges.classifier import ClassifierJudge
from judgekit.judges.embedded import EmbeddedConfig
from judgekit.judges.genrm import GenRMJudge
from judgekit.judges.pairwise import PairwiseJudge
from judgekit.judges.panel import Combine, PanelJudge
from judgekit.judges.rubric import Ask, RubricJudge, Vote
from judgekit.models.base import Decoding, Model
from judgekit.models.fake import FakeConfig
from judgekit.models.journal import Journal, JournaledModel
from judgekit.models.local import LocalConfig
from judgekit.models.openai import OpenAIConfig
from judgekit.models.scalar import SequenceConfig
from judgekit.rubrics.rubric import Rubric
from judgekit.storyworld.model import StoryworldConfig

LanguageModel = Annotated[LocalConfig | OpenAIConfig | FakeConfig | StoryworldConfig, Field(discriminator="provider")]
ScalarConfig = Annotated[EmbeddedConfig | SequenceConfig, Field(discriminator="provider")]

PATHS = ("path", "adapter", "encoder")  # settings of a model that may be folders


class _Judging(Config):
    """What every kind of judge may say.

    Attributes:
        profile: the profile that its scores are mapped with; ``profile_problems``: whether a profile that cannot be
            relied on is refused, or used and flagged.
    """

    profile: str | None = None
    profile_problems: OnProblem | None = None

    @model_validator(mode="after")
    def _of_a_profile(self) -> Self:
        if self.profile is None and self.profile_problems is not None:
            raise ValueError("profile_problems says what to do about a profile, and there is no 'profile'")
        return self


class _Asking(_Judging):
    rubric: str
    model: LanguageModel
    samples: Annotated[int, Field(ge=1)] = 1
    decoding: Decoding = Decoding()
    journal: str | None = None

    def parts(self, folder: Path) -> tuple[Rubric, Model]:
        """Build the rubric and the model; paths are relative to ``folder``."""
        rubric = Rubric.load(beside(folder, self.rubric))
        model: Model = beside_all(folder, self.model, *PATHS).build()
        return rubric, JournaledModel(model, Journal(folder / self.journal)) if self.journal else model


class RubricConfig(_Asking):
    """``judge: rubric``."""

    judge: Literal["rubric"]
    ask: Ask = "all"
    vote: Vote = "mean"

    def build(self, folder: Path) -> RubricJudge:
        return RubricJudge(*self.parts(folder), self.ask, self.samples, self.vote, self.decoding)


class PairwiseConfig(_Asking):
    """``judge: pairwise``."""

    judge: Literal["pairwise"]
    both_orders: bool = True
    vote: Vote = "majority"

    def build(self, folder: Path) -> PairwiseJudge:
        return PairwiseJudge(*self.parts(folder), self.both_orders, self.samples, self.vote, self.decoding)


class GenRMConfig(_Asking):
    """``judge: genrm``."""

    judge: Literal["genrm"]
    vote: Vote = "majority"

    def build(self, folder: Path) -> GenRMJudge:
        return GenRMJudge(*self.parts(folder), self.samples, self.vote, self.decoding)


class ClassifierConfig(_Judging):
    """``judge: classifier``."""

    judge: Literal["classifier"]
    model: ScalarConfig

    def build(self, folder: Path) -> ClassifierJudge:
        return ClassifierJudge(beside_all(folder, self.model, *PATHS).build())


class PanelConfig(_Judging):
    """``judge: panel``; ``judges`` are the paths of the members' judge.yaml."""

    judge: Literal["panel"]
    judges: Annotated[tuple[str, ...], Field(min_length=1)]
    combine: Combine = "mean"
    weights: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] | None = None

    def build(self, folder: Path) -> PanelJudge:
        members = [load_judge(folder / name) for name in self.judges]
        return PanelJudge(members, self.combine, self.weights)


JudgeConfig = Annotated[
    RubricConfig | PairwiseConfig | GenRMConfig | ClassifierConfig | PanelConfig, Field(discriminator="judge")
]


def load_judge(path: str | Path, *, with_profile: bool = True) -> Judge:
    """Build the judge that a judge.yaml (or the folder that holds one) describes; see `Judge.load`."""
    path = Path(path) / "judge.yaml" if Path(path).is_dir() else Path(path)
    if not path.exists() and (path.parent / "judge" / "judge.yaml").is_file():
        raise ConfigError(f"{path}: no such file; the judge of this run is {path.parent / 'judge'}")
    config = load(path, cast(Any, JudgeConfig))
    try:
        judge: Judge = config.build(path.parent)
        if with_profile and config.profile:
            judge = _calibrated(judge, path.parent / config.profile, config.profile_problems or "refuse")
    except (InputError, ConfigError) as problem:
        raise ConfigError(f"{path}: {problem}") from None
    except RecursionError:
        raise ConfigError(f"{path}: the panel holds itself") from None
    return judge


def _calibrated(judge: Judge, path: Path, on_problem: OnProblem) -> CalibratedJudge:
    from judgekit.calibration.profile import Profile

    try:
        return CalibratedJudge(judge, Profile.load(path), on_problem)
    except (InputError, ConfigError) as problem:
        raise type(problem)(str(problem) if str(path) in str(problem) else f"{path}: {problem}") from None


def save_judge(judge: Judge, folder: str | Path) -> Path:
    """Write a judge into a folder; see `Judge.save`."""
    folder = Path(folder)
    path = folder / "judge.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(_settings(judge, folder), sort_keys=False, allow_unicode=True)
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise InputError(f"{folder}: {problem.strerror}") from None
    return path


def movable(path: Path, root: Path) -> Path:
    """Let the weights that a judge.yaml names, where they lie below ``root``, count from it: they move together."""
    data, home = yaml.safe_load(path.read_text(encoding="utf-8")), root.resolve()
    for key in PATHS:
        place = data["model"].get(key)
        if place and Path(place).is_relative_to(home):
            data["model"][key] = os.path.relpath(place, path.parent.resolve())
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _settings(judge: Judge, folder: Path) -> dict[str, Any]:
    match judge:
        case RubricJudge():
            return {"judge": "rubric", **_asking(judge, folder), "ask": judge.ask, "vote": judge.vote}
        case PairwiseJudge():
            both_orders = {"both_orders": judge.both_orders}
            return {"judge": "pairwise", **_asking(judge, folder), **both_orders, "vote": judge.vote}
        case GenRMJudge():
            return {"judge": "genrm", **_asking(judge, folder), "vote": judge.vote}
        case ClassifierJudge():
            return {"judge": "classifier", "model": judge.model.save(folder)}
        case PanelJudge():
            members = [str(m.save(folder / f"judge_{i}").relative_to(folder)) for i, m in enumerate(judge.judges, 1)]
            weights = {"weights": list(judge.weights)} if judge.weights else {}
            return {"judge": "panel", "judges": members, "combine": judge.combine, **weights}
        case CalibratedJudge():
            profile = judge.profile.save(folder / "profile.json").name
            return {**_settings(judge.judge, folder), "profile": profile, "profile_problems": judge.on_problem}
        case _:
            raise InputError(f"a {type(judge).__name__} has no file form")


def _asking(judge: RubricJudge | PairwiseJudge | GenRMJudge, folder: Path) -> dict[str, Any]:
    judge.rubric.save(folder)
    model, journal = judge.model, {}
    if isinstance(model, JournaledModel):
        journal = {"journal": str(model.journal.path.resolve())}
    return {
        "rubric": "rubric.yaml",
        "model": model.settings,
        "samples": judge.samples,
        "decoding": judge.decoding.model_dump(),
        **journal,
    }
