"""The two prompts of CRE: the progress that a turn is shown, and what remains without the history."""

from __future__ import annotations

from typing import Any

import pytest

from judgekit import InputError
from judgekit.rewards import own_progress, without_history

SYSTEM = """- Integrate `#### Current Episode Progress` and `#### Episode Total Progress`
#### Overall Chapter Design Progress:
8

#### Current Chapter Progress:
6

#### Episode Transition Triggers
6"""


def test_a_turn_is_shown_its_own_progress() -> None:
    prompt = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "#### Current Chapter Progress:\n6"}]
    found = own_progress(prompt, 2)  # type: ignore[arg-type]

    assert found[0]["content"] == SYSTEM.replace("Current Chapter Progress:\n6", "Current Chapter Progress:\n2")
    assert found[1] == prompt[1] and prompt[0]["content"] == SYSTEM


def test_chinese_progress() -> None:
    prompt = [{"role": "system", "content": "#### 当前章节进度\n10\n\n#### 章节转换触发条件"}]
    assert own_progress(prompt, 3)[0]["content"] == "#### 当前章节进度\n3\n\n#### 章节转换触发条件"  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "progress"), [("no section", 1), (SYSTEM, -1), ("#### Current Chapter Progress:", 1)])
def test_no_progress_to_show(text: str, progress: int) -> None:
    with pytest.raises(InputError, match="no system turn has a"):
        own_progress([{"role": "system", "content": text}], progress)


def test_the_prompt_without_its_history() -> None:
    roles = ["system", "user", "assistant", "user"]
    prompt: Any = [{"role": role, "content": str(i)} for i, role in enumerate(roles)]

    assert without_history(prompt) == [prompt[0], prompt[3]]
    for bad in ([], prompt[:3]):
        with pytest.raises(InputError, match="ends with a user turn"):
            without_history(bad)
