"""The progress that a prompt shows to its turn."""

from __future__ import annotations

import re
from collections.abc import Sequence

from judgekit.errors import InputError
from judgekit.types import Message

PROGRESS = re.compile(
    r"^(#### (?:Current (?:Chapter|Episode) Progress|当前章节进度)[:：]?[ \t]*+\n[ \t]*+)\d{1,6}(?=[ \t]*+$)",
    re.MULTILINE,
)


def own_progress(prompt: Sequence[Message], progress: int) -> list[Message]:
    """Return an EpisodeBench prompt with the progress of its own turn.

    The release packs all turns of an episode with the progress of the last one. A policy then reads there when the jump
    is due and cannot learn to pace itself, and H- knows it too. Put the turn's own number in before either prompt is
    used; it is the number of rounds so far.

    Raises:
        InputError: no system turn has the section "#### Current Chapter Progress" (or 当前章节进度) with a number.
    """
    if progress < 0 or not any(PROGRESS.search(turn["content"]) for turn in prompt if turn["role"] == "system"):
        raise InputError(f"no system turn has a '#### Current Chapter Progress' section to hold the number {progress}")
    return [
        {"role": turn["role"], "content": PROGRESS.sub(rf"\g<1>{progress}", turn["content"])}
        if turn["role"] == "system"
        else turn
        for turn in prompt
    ]
