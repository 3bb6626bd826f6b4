"""A trained GenRM as a reward: alone, as the only member of a panel, and asked directly, it says the same to 1e-6."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

import torch
import transformers

from judgekit import Comparison, Judge, PanelJudge
from judgekit.judges import CalibratedJudge
from judgekit.models.tiny import save_tiny_model
from judgekit.policy import load_reward
from judgekit.policy.reward import FileReward
from judgekit.rewards import Rollout
from judgekit.storyworld import World
from tests.profiles import FLAT, criterion, profile_of

STORIES = World(sentences=(5, 8)).samples(16)
SECRET = b"one fence for all"
RATINGS = [json.dumps({"quality": {"reason": "so", "score": score}}) for score in range(1, 6)]
GIVEN = ((1, 9), (7, 4), (8, 2), (3, 5))
VERDICTS = [f"Reasons: so\nScore A: {a}\nScore B: {b}\nVerdict: {'A' if a > b else 'B'}" for a, b in GIVEN]


@pytest.fixture(scope="module")
def genrm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The judge.yaml of a pointwise and of a pairwise GenRM, as `judgekit train genrm` writes it."""
    folder, found = tmp_path_factory.mktemp("genrm"), {}
    told = {"pointwise": ("story/storyworld_rating", RATINGS), "pairwise": ("story/storyworld", VERDICTS)}
    for name, (rubric, replies) in told.items():
        path = save_speaker(folder / name / "model", replies)
        how = {"temperature": 1.0, "max_tokens": 8}
        model = {"provider": "local", "path": str(path)}
        found[name] = folder / name / "judge.yaml"
        found[name].write_text(json.dumps({"judge": "genrm", "rubric": rubric, "model": model, "decoding": how}))
    return found


def save_speaker(folder: Path, replies: Sequence[str]) -> Path:
    """Write a tiny model of random weights that can say nothing but one of the replies, drawn by what it is asked.

    Each reply is one token. Only after a line break, with which a prompt ends, are they likely; after them, the end is.
    """
    save_tiny_model(folder, [story.response for story in STORIES], vocabulary=400, layers=1, width=32, context=1024)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    tokenizer.add_tokens([transformers.AddedToken(reply, normalized=False) for reply in replies])
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model.config.tie_word_embeddings = False
    read = model.get_input_embeddings().weight.data
    said = torch.zeros_like(read)
    places, line_break = tokenizer.convert_tokens_to_ids(list(replies)), tokenizer("\n")["input_ids"][0]
    read[line_break, 0], read[places, 1] = 10, 10
    said[places] = torch.randn(len(replies), read.shape[1], generator=torch.Generator().manual_seed(0))
    said[places, 0], said[places, 1], said[tokenizer.eos_token_id, 1] = 30, 0, 30
    model.lm_head.weight = torch.nn.Parameter(said)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def rollouts() -> list[Rollout]:
    """Four groups of four stories, to one prompt each."""
    return [Rollout(STORIES[i - i % 4].prompt, STORIES[i].response, i // 4) for i in range(16)]


def panel_of(member: Path, folder: Path) -> Path:
    path = folder / "panel.yaml"
    path.write_text(json.dumps({"judge": "panel", "judges": [str(member)]}))
    return path


def reward(channel: dict[str, Any], judge: Path, folder: Path) -> FileReward:
    path = folder / f"{judge.stem}-{judge.parent.name}.reward.yaml"
    path.write_text(json.dumps({"channels": [{**channel, "judge": str(judge)}]}))
    found = load_reward(path)
    fence(next(iter(found.channels.values())).judge)  # type: ignore[attr-defined]
    return found


def fence(judge: Any) -> Any:
    """Let every judge ask in the same words: without a journal the fence's mark is new in each."""
    for one in judge.judges if isinstance(judge, PanelJudge) else [judge]:
        (one.judge if isinstance(one, CalibratedJudge) else one).model.secret = SECRET
    return judge


def values(found: FileReward, asked: Sequence[Rollout]) -> list[float | None]:
    return list(next(iter(found.score(asked).values.values())))


def some(found: Sequence[float | None]) -> list[float]:
    """Return what is known; a test that compares nothing, or one number with itself, would show nothing."""
    known = [value for value in found if value is not None]
    assert len(known) >= len(found) / 2 and len(set(known)) > 1
    return known


def test_scores_alone_in_a_panel_and_asked_directly(genrm: dict[str, Path], tmp_path: Path) -> None:
    direct = [score.unit for score in fence(Judge.load(genrm["pointwise"])).score([r.sample for r in rollouts()])]
    alone = values(reward({"channel": "judge"}, genrm["pointwise"], tmp_path), rollouts())
    panel = values(reward({"channel": "judge"}, panel_of(genrm["pointwise"], tmp_path), tmp_path), rollouts())

    some(direct)
    assert alone == pytest.approx(direct, abs=1e-6) and panel == pytest.approx(direct, abs=1e-6)


def test_the_profile_is_applied_alone_and_in_a_panel(genrm: dict[str, Path], tmp_path: Path) -> None:
    """The map is flat between 2 and 4, where all scores become 3; the reward still rises there."""
    plain = fence(Judge.load(genrm["pointwise"]))
    fitted = criterion("criterion", FLAT)
    profile = profile_of({"quality": fitted}, fingerprint=plain.fingerprint)
    profile.save(genrm["pointwise"].parent / "profile.json")
    calibrated = genrm["pointwise"].with_name("calibrated.yaml")
    settings = json.loads(genrm["pointwise"].read_text())
    calibrated.write_text(json.dumps({**settings, "profile": "profile.json"}))

    raws = [score.value for score in plain.score([r.sample for r in rollouts()])]
    wanted = [None if raw is None else (profile.apply("quality", [raw]).reward[0] - 1) / 4 for raw in raws]
    direct = fence(Judge.load(calibrated)).score([r.sample for r in rollouts()])
    assert [None if s.reward is None else (s.reward - 1) / 4 for s in direct] == pytest.approx(wanted, abs=1e-6)
    assert len(set(some(wanted))) > len({score.value for score in direct if score.value is not None})
    for judge in (calibrated, panel_of(calibrated, tmp_path)):
        assert values(reward({"channel": "judge"}, judge, tmp_path), rollouts()) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("scheme", ["pivot", "round-robin"])
@pytest.mark.parametrize("soft", [False, True])
def test_tournaments_alone_and_in_a_panel(genrm: dict[str, Path], tmp_path: Path, scheme: str, soft: bool) -> None:
    channel = {"channel": "tournament", "scheme": scheme, "soft": soft}
    alone = values(reward(channel, genrm["pairwise"], tmp_path), rollouts())
    panel = values(reward(channel, panel_of(genrm["pairwise"], tmp_path), tmp_path), rollouts())

    some(alone)
    assert panel == pytest.approx(alone, abs=1e-6)


def test_a_pivot_is_what_the_judge_says_when_it_is_asked(genrm: dict[str, Path], tmp_path: Path) -> None:
    """Each but the pivot, which has 0, gets the verdict on itself and one other of its group."""
    judge, asked = fence(Judge.load(genrm["pairwise"])), rollouts()
    found = values(reward({"channel": "tournament"}, genrm["pairwise"], tmp_path), asked)
    points = {"a": 1.0, "b": -1.0, "tie": 0.0, None: None}
    for start in range(0, len(asked), 4):
        group = range(start, start + 4)
        possible = []
        for pivot in group:
            others = [i for i in group if i != pivot]
            told = judge.compare([Comparison(asked[i].prompt, asked[i].visible, asked[pivot].visible) for i in others])
            by_place = {pivot: 0.0, **{i: points[p.winner] for i, p in zip(others, told, strict=True)}}
            possible.append([by_place[i] for i in group])
        own = [found[i] for i in group]
        assert own in possible or set(own) == {None}


def test_with_a_journal_the_words_are_the_same_by_themselves(genrm: dict[str, Path], tmp_path: Path) -> None:
    settings = json.loads(genrm["pointwise"].read_text())
    path = tmp_path / "judge.yaml"
    path.write_text(json.dumps({**settings, "journal": "calls.sqlite"}))
    samples = [r.sample for r in rollouts()]
    first, second = Judge.load(path).score(samples), Judge.load(panel_of(path, tmp_path)).score(samples)

    some([score.unit for score in first])
    assert [score.unit for score in second] == [score.unit for score in first]
    assert sum(score.usage.calls for score in second) == 0
