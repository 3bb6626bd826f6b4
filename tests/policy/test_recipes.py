"""Every shipped recipe: its files are there, TRL takes its settings, and its README tells the values that it has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from judgekit import ConfigError, content
from judgekit.policy.asked import load_data, story_prompt_of
from judgekit.policy.recipe import PolicyRecipe
from judgekit.policy.training import PolicyTraining
from judgekit.storyworld import Outline, read
from judgekit.training import arguments

NAMES = sorted(path.parent.name for path in content.folder("policy").glob("*/recipe.yaml"))
PUBLISHED = [name for name in NAMES if not name.startswith("storyworld")]
ROW = re.compile(r"^\| `([a-z_.]+)` \| ([^|]+?) \|", re.MULTILINE)


@pytest.fixture
def with_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let vLLM count as installed: it is asked for by name, and needs a GPU."""
    monkeypatch.setattr(arguments, "find_spec", lambda name: name)


def small(recipe: PolicyRecipe) -> PolicyRecipe:
    """The recipe with a tiny model in place of its own, and a few prompts of the storyworld in place of its data."""
    turns = recipe.data.source in ("storyworld", "HeAAAAA/story_generation_rl")
    data = {"source": "storyworld" if turns else "storyworld-stories", "limit": 16}
    changed = recipe.model_dump(exclude_unset=True, by_alias=True) | {"data": data}
    if recipe.model:
        changed |= {"model": None, "lora": None, "scratch": {"vocabulary": 400, "context": 512}}
    if recipe.sft:
        changed["sft"] = changed["sft"] | {"data": changed["sft"]["data"] | data}
    if recipe.evaluation:
        changed["evaluation"] = changed["evaluation"] | {"data": data}
    return PolicyRecipe.model_validate(changed)


def test_these_are_the_recipes() -> None:
    twins = {"storyworld-episodes", "storyworld-rlcs", "storyworld-stories"}
    assert set(NAMES) == {"episodebench-qwen3-8b", "polaris-qwen3.5-9b", "rlcs-genrm", *twins}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("with_vllm")
def test_a_recipe_is_sound(name: str, tmp_path: Path) -> None:
    recipe, home = PolicyRecipe.load(name)
    training = PolicyTraining(tmp_path / "run", small(recipe), home)
    training.check()

    assert list(training.reward.channels)
    for source in (recipe.data, recipe.sft and recipe.sft.data, recipe.evaluation and recipe.evaluation.data):
        if source and Path(source.source).suffix:
            assert load_data(source.source).asked
    if recipe.evaluation and recipe.evaluation.judge:
        assert Path(recipe.evaluation.judge).is_file()


def test_a_recipe_that_trl_does_not_take_is_found(tmp_path: Path) -> None:
    """What the test above rests on."""
    recipe, home = PolicyRecipe.load("rlcs-genrm")
    with pytest.raises(ConfigError, match="vLLM is not installed"):
        PolicyTraining(tmp_path / "run", small(recipe), home).check()
    recipe, home = PolicyRecipe.load("storyworld-rlcs")
    channels = [{"channel": "tournament", "judge": "none.yaml"}]
    gone = recipe.model_dump(exclude_unset=True, by_alias=True) | {"reward": {"channels": channels}}
    training = PolicyTraining(tmp_path / "run", small(PolicyRecipe.model_validate(gone)), home)
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        training.check()


def same(found: Any, told: str) -> bool:
    try:
        return bool(float(told) == found)
    except ValueError:
        return str(found) == told


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_readme_tells_the_values_that_the_recipe_has(name: str) -> None:
    recipe, home = PolicyRecipe.load(name)
    told = ROW.findall((home / "README.md").read_text(encoding="utf-8"))
    channels = {one.channel: one for one in recipe.reward.channels}
    wrong = {}
    for path, value in told:
        found: Any = recipe
        for part in path.split("."):
            inside = found[part] if isinstance(found, dict) else getattr(found, part)
            found = channels if part == "channels" else inside
        if not same(found, value):
            wrong[path] = f"{found}, and the README says {value}"

    assert not wrong
    assert len(told) >= 10


@pytest.mark.parametrize("name", PUBLISHED)
def test_one_step_of_a_published_recipe(name: str, tmp_path: Path) -> None:
    """With a tiny model, short replies, one group, the storyworld's judges, and the reference at its full weight."""
    changed = small(PolicyRecipe.load(name)[0]).model_dump(exclude_unset=True, by_alias=True)
    if changed["data"]["source"] == "storyworld-stories":
        changed["data"] = {"source": str(asked(tmp_path))}
    trl = {key: value for key, value in changed["grpo"]["trl"].items() if not key.startswith(("vllm", "use_vllm"))}
    trl |= {"max_steps": 1, "max_completion_length": 24, "gradient_accumulation_steps": 1, "save_strategy": "no"}
    trl |= {"per_device_train_batch_size": trl["num_generations"], "bf16": False, "gradient_checkpointing": False}
    trl.pop("steps_per_generation", None)
    changed["grpo"]["trl"] = trl
    if "references" in changed["grpo"]:
        changed["grpo"]["references"]["warmup_steps"] = 0
    for channel in changed["reward"]["channels"]:
        channel.pop("embed", None)
        if "judge" in channel:
            channel["judge"] = judge_of(channel["channel"], tmp_path)
    training = PolicyTraining(tmp_path / "run", PolicyRecipe.model_validate(changed), tmp_path)
    [step] = [row for row in training.grpo.curve if "loss" in row]

    assert {f"reward/{channel}" for channel in training.reward.channels} <= set(step)
    assert step.get("reward/unscored", 0) < 1 and step.get("injection/groups", 1) == 1


def asked(folder: Path) -> Path:
    path, prompt = folder / "asked.jsonl", Outline("Mia", "key", "cave").prompt
    row = {"prompt": f"{prompt} Your story should be approximately 20 words long.", "human_reference": "Mia went."}
    path.write_text(json.dumps(row) + "\n")
    return path


def judge_of(channel: str, folder: Path) -> str:
    kind = {"judge": ("rubric", "story/storyworld_rating"), "tournament": ("pairwise", "story/storyworld")}[channel]
    settings = {"judge": kind[0], "rubric": kind[1], "model": {"provider": "storyworld"}}
    (folder / f"{channel}.yaml").write_text(json.dumps(settings))
    return f"{channel}.yaml"


def test_the_storyworlds_prompts() -> None:
    """Sound stories have 6 or 7 sentences and no flaw; half of the flawed set has some; the splits are apart."""
    sound, test = (
        load_data("storyworld-stories", "train", 300).asked,
        load_data("storyworld-stories", "test", 300).asked,
    )
    flawed = PolicyRecipe.load("storyworld-stories")[0].sft.data.load().asked[:300]  # type: ignore[union-attr]
    told = [read(Outline.parse(one.prompt), one.human_reference) for one in (*sound, *flawed)]
    faulty = [bool(reading.flaws) for reading in told]

    assert not any(faulty[:300]) and 120 < sum(faulty[300:]) < 180
    assert {one.human_reference.count(".") for one in sound} == {6, 7}  # type: ignore[union-attr]
    assert not {one.group for one in sound} & {one.group for one in test}  # type: ignore[union-attr]
    assert load_data("storyworld-stories", "train", 5).asked == sound[:5]


def test_prompts_for_stories_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    rows = [{"uid": "a", "prompt": [{"role": "user", "content": "Tell."}], "target_word_count": 800}]
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split: rows * 3)
    found = load_data("someone/stories", "test", 2)

    assert found.kind == "stories" and found.name == "someone/stories"
    assert [(one.id, one.words) for one in found.asked] == [("line-1", 800), ("line-2", 800)]  # type: ignore[union-attr]
    assert story_prompt_of(rows[0], 1).prompt == rows[0]["prompt"]
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split: [{"prompt": "Tell.", "words": 0}])
    with pytest.raises(Exception, match=r"someone/stories:1: words must be a whole number"):
        load_data("someone/stories", "test")
