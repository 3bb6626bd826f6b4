"""EpisodeBench's published training rows for evaluators (``reward_train_*``), mapped to ``story/episodebench``.

Columns: ``system`` (one message: the judge's whole prompt, filled in), ``conversations`` (one message: reviews and
scores of five criteria), ``score_sum``, ``data_source``, ``language``. The scores are a language model's, not people's.
Only the texts of the item are taken from the prompt; the question is the rubric's own, so that an evaluator is asked
in training what it will be asked in use. As published, the current progress may be that of the story's last turn
instead of the judged one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from judgekit.episodes.cells import literal
from judgekit.errors import InputError
from judgekit.files.rows import Row
from judgekit.types import Rated, Sample

CRITERIA = ("plot", "guidance", "narration", "characters", "transition")
PROGRESS = re.compile(r"current (\d{1,6}), total (\d{1,6})")
# The headings between which the published prompts put an item's texts, in their order.
HEADINGS = {
    "en": (
        "### Story Title:",
        "### Historical Plot:",
        "## Current Chapter:",
        "#### Total Chapter Design Progress:",
        "#### Current Chapter Progress:",
        "#### Chapter Transition Triggers:",
        "## Output Format",
        "User:",
        "Generated Story:",
    ),
    "zh": (
        "### 故事名称：",
        "### 历史情节",
        "## 当前故事章节：",
        "#### 章节设计总进度",
        "#### 当前章节进度",
        "#### 章节转换触发条件",
        "## 输出格式",
        "用户:",
        "生成的故事内容:",
    ),
}


@dataclass(frozen=True, slots=True)
class Unusable:
    """A published row that cannot be learnt from, and why."""

    id: str
    reason: str


def is_published(row: Row) -> bool:
    """Say whether a row has the published columns rather than ours."""
    return "conversations" in row and "system" in row


def published_of(row: Row, line: int, language: str) -> Rated | Unusable:
    """Build a rated sample from a published row; the story's title is its group.

    Args:
        language: of the rubric, ``en`` or ``zh``; rows in the other one are not for it.
    """
    name = f"line-{line}"
    prompt, reply = _message(row["system"]), _message(row["conversations"])
    if not isinstance(prompt, str):
        return Unusable(name, "system holds no text")
    found = next((code for code, headings in HEADINGS.items() if f"\n{headings[0]}" in prompt), None)
    if found != language:
        return Unusable(
            name, f"the row is in {found!r}, not {language!r}" if found else "no published prompt in system"
        )
    texts = _sections(prompt, HEADINGS[language])
    scores = _scores(reply)
    if isinstance(texts, str) or isinstance(scores, str):
        return Unusable(name, texts if isinstance(texts, str) else str(scores))
    added = math.fsum(value for value, _ in scores.values())
    total = row.get("score_sum", added)
    if not isinstance(total, (int, float)) or not math.isclose(total, added):
        return Unusable(name, "score_sum is not the sum of the scores")
    values = {key: value for key, (value, _) in scores.items()}
    reviews = {key: review for key, (_, review) in scores.items()}
    return Rated(_sample(name, texts), values, reviews, group=texts[0].split("\n", 1)[0], source="machine")


def judged_row(rated: Rated, language: str) -> Row:
    """Return the published row of a rated sample, such as `published_of` builds.

    Raises:
        InputError: a score or a text of ``story/episodebench`` is missing, or the texts hold a heading of the layout,
            so that the row would not be read back as what it is.
    """
    given = rated.sample.metadata
    found = PROGRESS.fullmatch(str(given.get("progress")))
    missing = [name for name in CRITERIA if rated.scores.get(name) is None]
    missing += [name for name in ("background", "history", "episode", "user_input") if name not in given]
    if missing or not found:
        raise InputError(f"the sample {rated.id!r} lacks {', '.join(missing) or 'its progress: current 2, total 8'}")
    episode, _, triggers = str(given["episode"]).rpartition("\n\n")
    texts = [given["background"], given["history"], episode, found[2], found[1], triggers, ", ".join(CRITERIA)]
    texts += [given["user_input"], rated.sample.response]
    reviews = {name: {"review": rated.reviews.get(name, ""), "score": rated.scores[name]} for name in CRITERIA}
    row = {
        "system": _said("user", "".join(f"\n{h}\n{t}" for h, t in zip(HEADINGS[language], texts, strict=True))),
        "conversations": _said("assistant", str(reviews)),
        "score_sum": math.fsum(value for value in rated.scores.values() if value is not None),
        "data_source": "judgekit",
        "language": language,
    }
    back = published_of(row, 0, language)
    if isinstance(back, Unusable) or not _same(back, rated):
        raise InputError(f"the sample {rated.id!r} cannot be written in this layout: a heading of it stands in a text")
    return row


def _same(a: Rated, b: Rated) -> bool:
    """Return whether two rated samples have the same texts and scores, but for space around the texts."""
    pairs = [(text, b.sample.metadata.get(key)) for key, text in a.sample.metadata.items()]
    pairs += [(a.sample.response, b.sample.response)]
    same = all(str(text).strip() == str(other).strip() for text, other in pairs)
    return same and all(a.scores[name] == b.scores[name] for name in CRITERIA)


def _said(who: str, text: str) -> list[dict[str, str]]:
    return [{"from": who, "value": text}]


def _message(messages: Any) -> Any:
    """Return the value of the only message of a list; of anything else, itself."""
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], Mapping):
        return messages[0].get("value")
    return messages


def _sections(prompt: str, headings: tuple[str, ...]) -> list[str] | str:
    """Return what follows each heading, up to the next one."""
    places = [prompt.find(f"\n{headings[0]}")]
    for heading in headings[1:]:
        places.append(prompt.find(f"\n{heading}", places[-1] + 1))
        if places[-1] < 0:
            return f"the prompt has no {heading!r}"
    ends = [*places[1:], len(prompt)]
    starts = [place + 1 + len(heading) for place, heading in zip(places, headings, strict=True)]
    return [prompt[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def _sample(name: str, texts: list[str]) -> Sample:
    background, history, episode, total, current, triggers, _, player, turn = texts
    action = _action(player)
    context = {
        "background": background,
        "history": history,
        "episode": f"{episode}\n\n{triggers}",
        "progress": f"current {current}, total {total}",
        "user_input": action,
    }
    return Sample(action, turn, name, metadata=context)


def _action(player: str) -> str:
    """Return what the player did, without the label of the behaviour, which no judge may see."""
    found = literal(player)
    return str(found["action"]) if isinstance(found, Mapping) and "action" in found else player


def _scores(reply: Any) -> dict[str, tuple[float, str]] | str:
    """Return score and review by criterion, or why there are none."""
    found = reply if isinstance(reply, Mapping) else literal(str(reply))
    if not isinstance(found, Mapping):
        return "the scores cannot be read"
    scores = {}
    for name in CRITERIA:
        entry = found.get(name)
        value = entry.get("score") if isinstance(entry, Mapping) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 5:
            return f"no score for {name}"
        scores[name] = (float(value), str(entry.get("review") or "") if isinstance(entry, Mapping) else "")
    return scores
