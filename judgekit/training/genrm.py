"""From pairs to a generative reward model: distil, filter, SFT, GRPO (RLCS, arXiv 2601.07149, section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from judgekit.errors import InputError
from judgekit.files import pair_row
from judgekit.judges import ClassifierJudge
from judgekit.judges.asking import rubric_identity
from judgekit.judges.base import digest
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.models.scalar import SequenceConfig
from judgekit.rubrics.prompt import Questions, texts_of
from judgekit.rubrics.rubric import Rubric
from judgekit.training.arguments import named
from judgekit.training.chains import Chain, asks
from judgekit.training.distill import Teacher, forecast, read_chains, write_chains
from judgekit.training.filters import filter_chains
from judgekit.training.grpo import GRPOSettings, grpo, verdict_tasks
from judgekit.training.judge_training import SHOWN, Counts, JudgeTraining
from judgekit.training.questions import Example, Writer
from judgekit.training.recipe import Recipe
from judgekit.training.scalar import check_scalar, train_scalar
from judgekit.training.start import origin
from judgekit.training.verdict import verdict_rewards
from judgekit.training.weights import Trained
from judgekit.types import Pair, Usage


@dataclass
class GenRMTraining(JudgeTraining):
    """A run from pairs to a judge that compares.

    Attributes:
        pairs: GRPO learns from those that have a label; without ``taught`` the teacher explains them too.
        taught: the pairs that the teacher explains, labelled or not.
        teacher: who explains them; or ``chains_file``, where that was done before by ``judgekit distill``.
    """

    block: ClassVar[int] = 2  # both orders of a pair

    recipe: Recipe
    pairs: Sequence[Pair]
    teacher: Teacher | None = None
    taught: Sequence[Pair] = ()
    chains_file: Path | None = None

    @cached_property
    def rubric(self) -> Rubric:
        """The rubric; it must compare."""
        rubric = Rubric.load(self.recipe.rubric)
        if rubric.mode != "pairwise":
            raise InputError(f"the rubric {rubric.id!r} is pointwise; a GenRM is trained on pairs: use a pairwise one")
        return rubric

    @cached_property
    def explained(self) -> Sequence[Pair]:
        """The pairs that the teacher explains."""
        return self.taught or self.pairs

    @cached_property
    def chains(self) -> list[Chain]:
        """Every chain that the teacher wrote."""
        if self.chains_file:
            return read_chains(self.chains_file)
        if self.teacher is None:
            raise InputError("there is no teacher and there are no chains: give one of them")
        teacher, path = self.teacher, self.folder / "chains" / "chains.jsonl"

        def make(folder: Path) -> dict[str, Any]:
            folder.mkdir(parents=True, exist_ok=True)
            total = 2 * self.recipe.samples * len(self.explained)

            def seen(done: int, used: Usage) -> None:
                self.say(f"distil: {done} of {total} chains, {used.input_tokens} tokens in, {used.output_tokens} out")

            cost = forecast(asks(self.explained, self.recipe.samples), total, teacher)
            tokens = f"about {cost.input_tokens} tokens in, at most {cost.output_tokens} out"
            self.say(f"distil: {total} chains, {tokens}")
            write_chains(self.explained, teacher, path, samples=self.recipe.samples, seen=seen)
            return {}

        self.run.alone("chains", [teacher.fingerprint, self.recipe.samples, self._data], make)
        return read_chains(path)

    @cached_property
    def kept(self) -> list[Chain]:
        """The chains that passed the filters."""
        return self._filtered[0]

    @cached_property
    def left_out(self) -> dict[str, int]:
        """How many chains the filters left out, by reason."""
        return self._filtered[1]

    @cached_property
    def _filtered(self) -> tuple[list[Chain], dict[str, int]]:
        found = filter_chains(self.explained, self.chains, self.recipe.filters)
        reasons = ", ".join(f"{count} {reason}" for reason, count in found.left_out.items() if count)
        self.say(f"filter: {len(found.kept)} of {len(self.chains)} chains kept{f' ({reasons})' if reasons else ''}")
        return found.kept, found.left_out

    @cached_property
    def classifier(self) -> ClassifierJudge:
        """A Bradley-Terry classifier from the same start and the same labels."""
        settings, lora, seed = self.recipe.classifier, self.recipe.lora, self.recipe.seed

        def make(folder: Path) -> dict[str, Any]:
            trained = train_scalar(self.base, self.pairs, settings, folder, lora=lora, seed=seed, say=self.say)
            return {"model": self.run.movable(trained.model.model_dump()), "left_out": trained.left_out}

        key = [settings.model_dump(), *origin(self.base, self.recipe, rubric_identity(self.rubric)), self._data]
        result = self.run.stage("classifier", key, make)
        return ClassifierJudge(SequenceConfig(**self.run.placed(result["model"])).build())

    def save(self) -> Path:
        """Train what is not trained yet, write the finished judge into ``judge/`` and return its judge.yaml.

        Raises:
            ConfigError: settings that any stage would refuse, before the first one begins.
        """
        self.begin()
        finished = self.grpo if self.recipe.grpo else self.sft
        if "classifier" in self.recipe.rivals:
            _ = self.classifier  # here, where every process is still at work
        return finished.saved(self.folder / "judge")

    def check(self) -> None:
        """Refuse what a stage would refuse, before a teacher is paid.

        Raises:
            InputError: also where no pair has two different texts, or no prompt fits into SFT's ``max_length``.
        """
        super().check()
        if "classifier" in self.recipe.rivals:
            with named("classifier"):
                check_scalar(self.recipe.classifier, self.recipe.model, self.folder)
        pairs = [pair for pair in self.explained if pair.comparison.a != pair.comparison.b]
        if not pairs:
            raise InputError(f"all {len(self.explained)} pairs have the same text on both sides; nothing to compare")
        least, limit = self._shortest(pairs), self._limit
        if least >= limit:
            raise InputError(
                f"no prompt fits into {limit} tokens: the shortest has {least} or more; raise sft.trl.max_length, or "
                "what the model takes (scratch.context), or shorten the texts"
            )

    # --- parts ------------------------------------------------------------------------------------------------

    @property
    def _limit(self) -> int:
        """How many tokens an example of SFT may have."""
        given, scratch = self.recipe.sft.trl.get("max_length"), self.recipe.scratch
        return int(given or (scratch.context if scratch else LocalModel(self.base).context))

    def _shortest(self, pairs: Sequence[Pair]) -> int:
        """Return how many tokens the shortest prompt has; at least, where the tokenizer is yet to be trained.

        No token of a tokenizer from scratch reaches from one word into the next.
        """
        if self.recipe.model:
            model = LocalModel(self.recipe.model)
            writer = Writer(self.rubric, model, self.recipe.seed)
            return min(map(len, model.tokens([writer.prompt(pair.comparison) for pair in pairs])))
        form = Questions(self.rubric).form()
        asked = (form.messages(texts_of(self.rubric, pair.comparison)) for pair in pairs)
        return min(sum(len(message["content"].split()) for message in messages) for messages in asked)

    def _examples(self) -> tuple[list[Example], Counts]:
        return Writer(self.rubric, LocalModel(self.base), self.recipe.seed).examples(self.explained, self.kept), {}

    def _source(self) -> list[Any]:
        return [digest([[chain.pair, chain.order, chain.sample, chain.text] for chain in self.kept])]

    @property
    def _refinement(self) -> GRPOSettings | None:
        return self.recipe.grpo

    def _refine(self, start: LocalConfig, folder: Path) -> tuple[Trained, Counts]:
        settings, lora, seed = self.recipe.grpo or GRPOSettings(), self.recipe.lora, self.recipe.seed
        model = LocalModel(start)
        tasks, unused = verdict_tasks(self.pairs, Writer(self.rubric, model, seed))
        if not tasks:
            raise InputError(f"no pair to refine the judge on: {_words(unused) or 'there are none'}")
        self.say(f"grpo: {len(tasks)} tasks, both orders of {len(tasks) // 2} pairs")
        rewards = verdict_rewards(self.rubric, model, settings.reward)
        return grpo(start, tasks, rewards, settings, folder, lora=lora, seed=seed, say=self.say), unused

    @cached_property
    def _data(self) -> str:
        return digest([[pair_row(pair) for pair in pairs] for pairs in (self.pairs, self.taught)])

    def _texts(self) -> list[str]:
        form = Questions(self.rubric).form()
        asked = [form.messages(texts_of(self.rubric, pair.comparison)) for pair in self.explained[:SHOWN]]
        replies = [chain.text for chain in self.chains[: 2 * SHOWN] if chain.text]
        return [*(message["content"] for messages in asked for message in messages), *replies]


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} with {reason}" for reason, count in counts.items())
