"""reward.yaml: what it becomes, how it travels, and what is refused with file and line."""

from __future__ import annotations

import pickle  # noqa: TID251 - trainers send rewards to other processes so
from pathlib import Path

import pytest

from judgekit import ConfigError, InputError
from judgekit.policy import load_reward
from judgekit.rewards import Monitor, Rollout

ALL = """\
normalize: group
name: story
deadline: 100
channels:
  - {channel: format, weight: 0.5}
  - {channel: format, name: form, schema: {type: object, required: [a]}}
  - {channel: transition, expected: {"1": ["1", "2"]}}
  - {channel: length, low: 80, high: 100, text: story, weight: 0.2}
  - {channel: requested_length, weight: 0.8}
  - {channel: repetition, characters: true}
  - {channel: blank, words: 10}
  - {channel: thinking_budget, budget: 100}
  - {channel: diversity, log: true, text: story}
  - {channel: cre}
gates: [{channel: format, least: 0.4}]
optional: [requested_length]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "reward.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_channel_can_be_written(tmp_path: Path) -> None:
    found = load_reward(written(tmp_path, ALL))

    assert list(found.channels) == [
        "format", "form", "transition", "length", "requested_length", "repetition", "blank", "thinking_budget",
        "diversity", "cre",
    ]  # fmt: skip
    assert found.weights["length"] == 0.2 and found.weights["cre"] == 1 and found.__name__ == "story"
    assert found.normalize == "group" and found.deadline == 100 and found.optional == {"requested_length"}
    assert load_reward(tmp_path).channels.keys() == found.channels.keys()


def test_a_channel_may_read_one_field(tmp_path: Path) -> None:
    text = "channels: [{channel: length, low: 2, high: 2, text: {key: story}}]\n"
    found = load_reward(written(tmp_path, text)).score(
        [Rollout("p", '{"story": "two words"}'), Rollout("p", "two words")]
    )

    assert found.totals == [1.0, 0.0]


def test_a_judge_is_beside_the_file_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / "judge").mkdir(parents=True)
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ConfigError, match="there/judge"):
        load_reward(written(tmp_path / "there", "channels: [{channel: judge, judge: judge}]\n"))


def test_a_length_without_an_end_and_a_trigger(tmp_path: Path) -> None:
    text = "channels: [{channel: length, low: 2, high: null}]\n"
    assert load_reward(written(tmp_path, text)).score([Rollout("p", "two words")]).totals == [1.0]
    (tmp_path / "judge.yaml").write_text(
        "judge: rubric\nrubric: story/hanna\nmodel: {provider: fake, replies: [x]}\n", encoding="utf-8"
    )
    text = "channels: [{channel: transition, expected: {'1': '2'}, trigger: judge.yaml, least: 0.7}]\n"
    found = load_reward(written(tmp_path, text)).channels["transition"]
    assert found.least == 0.7 and found.trigger is not None  # type: ignore[attr-defined]


def test_a_judge_that_only_compares_scores_nothing(tmp_path: Path) -> None:
    (tmp_path / "judge.yaml").write_text(
        "judge: pairwise\nrubric: story/storyworld\nmodel: {provider: storyworld}\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match="it compares two responses"):
        load_reward(written(tmp_path, "channels: [{channel: judge, judge: judge.yaml}]\n"))


def test_a_monitor_goes_with_it(tmp_path: Path) -> None:
    path = written(tmp_path, "channels: [{channel: length, low: 1, high: 2}]\n")
    found = pickle.loads(pickle.dumps(load_reward(path, Monitor(tmp_path / "m.jsonl", first=7))))

    assert found.monitor is not None and found.monitor.first == 7 and found.monitor.record.path == tmp_path / "m.jsonl"


def test_it_goes_to_another_process_as_its_path(tmp_path: Path) -> None:
    text = "channels: [{channel: length, low: 1, high: 2}, {channel: blank, words: 1, name: empty}]\n"
    found = pickle.loads(pickle.dumps(load_reward(written(tmp_path, text))))

    assert found.score([Rollout("p", "two words")]).totals == [1.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("channels: []\n", "channels"),
        ("channels: [{channel: lenght, low: 1, high: 2}]\n", "reward.yaml:1"),
        ("channels:\n  - {channel: length, low: 1, hihg: 2}\n", "reward.yaml:2: channels.0: unknown key 'hihg'"),
        ("channels: [{channel: length, low: 5, high: 2}]\n", "0 <= low <= high"),
        ("channels: [{channel: blank}, {channel: blank}]\n", "a name of its own"),
        ("channels: [{channel: blank}]\ngates: [{channel: form, least: 1}]\n", "no channel is called form"),
        ("channels: [{channel: judge, judge: nowhere.yaml}]\n", "nowhere.yaml"),
    ],
)
def test_what_is_no_reward_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises((ConfigError, InputError), match=r"reward\.yaml") as refused:
        load_reward(written(tmp_path, text))
    assert words in str(refused.value)
