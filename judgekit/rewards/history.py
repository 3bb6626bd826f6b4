"""The prompt of CRE's H-, without the history."""

from __future__ import annotations

from collections.abc import Sequence

from judgekit.errors import InputError
from judgekit.types import Message


def without_history(prompt: Sequence[Message]) -> list[Message]:
    """Return the system turns and the last turn of a prompt: what EpisodeBench's H- is taken under.

    Raises:
        InputError: the last turn is not the user's.
    """
    if not prompt or prompt[-1]["role"] != "user":
        raise InputError("a prompt ends with a user turn, to which the response is the answer")
    return [*(turn for turn in prompt[:-1] if turn["role"] == "system"), prompt[-1]]
