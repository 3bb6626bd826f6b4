"""The length that a prompt asks for, and how far a response is from it, as a channel."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from contextlib import suppress

from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.rollout import Rollout
from judgekit.types import prompt_text

WORDS = re.compile(r"\w+")
NUMBER = r"(?<![\d.,])(\d{1,3}(?:,\d{3})++|\d{1,7})(?![\d.,]*\d)"
LONG = re.compile(NUMBER + r"\s++words\s++long\b", re.IGNORECASE)
ANY = re.compile(NUMBER + r"(?:\s++|-)words?+\b", re.IGNORECASE)
# What makes of the number an end and not an aim: before it, after it.
BOUND = re.compile(
    r"(?:\d(?:\s+words)?\s*(?:to|and|or|[-–—~])|\b(?:least|most|under|below|over|above|beyond|exceed|exceeding|within|"
    r"than|up to|minimum(?: of)?|maximum(?: of)?|min\.?|max\.?|limit of))\s*$",
    re.IGNORECASE,
)
OR_SO = re.compile(r"\s*(?:long\s*)?(?:or\s+(?:less|fewer|more|under|over)|at\s+(?:least|most)|min|max|limit)", re.I)
AROUND = 24  # characters that are looked at on either side


def requested_words(prompt: str) -> int | str:
    """Return how many words a prompt asks for, or the reason why that is not known.

    "800 words long" counts before any other mention, as in POLARIS (which reads "1,000 words long" as 0 words); else
    "800 words" and "an 800-word story". A range or a bound ("500-800 words", "at least 500 words") is no aim, and
    different numbers are none either.
    """
    found = list(LONG.finditer(prompt)) or list(ANY.finditer(prompt))
    if not found:
        return "the prompt asks for no length"
    if any(_bounds(prompt, mention) for mention in found):
        return "the prompt asks for a range of lengths"
    aims = {int(mention[1].replace(",", "")) for mention in found}
    if len(aims) > 1:
        return f"the prompt asks for different lengths: {', '.join(map(str, sorted(aims)[:5]))} words"
    return aims.pop() or "the prompt asks for 0 words"


def _bounds(prompt: str, mention: re.Match[str]) -> bool:
    before = prompt[max(mention.start() - AROUND, 0) : mention.start()]
    after = prompt[mention.end() : mention.end() + AROUND]
    return bool(BOUND.search(before) or OR_SO.match(after))


def count_words(text: str) -> int:
    r"""Return the number of words as POLARIS counts them: runs of ``\w`` once HTML entities are read."""
    return sum(1 for _ in WORDS.finditer(unescaped(text)))


def unescaped(text: str) -> str:
    """Return a text with its HTML entities read."""
    with suppress(ValueError):  # a character reference of thousands of digits, which Python does not read as a number
        return html.unescape(text)
    return text


class RequestedLengthReward(Channel):
    """POLARIS's penalty for missing the length that the prompt asks for, as a value in [-1, 0]: 0 is within the band.

    With T words asked for, n written, lo = clamp(0.15 T, 350, 1000) and up = clamp(0.25 T, 600, 1500), both cut to
    whole words, the value is 0 for T - lo <= n <= T + up, below it -(1 - n / (T - lo)), and above it
    -min(1, n / (T + up) - 1). POLARIS subtracts 0.8 of the penalty: the weight here is 0.8, not -0.8.

    The band is wide: at 500 words it is 150 to 1100, and below 350 nothing is too short. What a reader sees is counted,
    by `count_words`. (The release takes a request of fewer than 150 words for one of 150; here it is what it is.)

    The value is None, with the reason, where the prompt asks for no length or for no single one: see `requested_words`.
    Where only some prompts do, name the channel in ``optional`` of `CompositeReward`.
    """

    lowest = -1.0

    def __init__(self, name: str = "requested_length") -> None:
        self.name = name

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        aims = [requested_words(prompt_text(rollout.prompt)) for rollout in rollouts]
        values = [
            None if isinstance(aim, str) else _value(aim, count_words(rollout.visible))
            for aim, rollout in zip(aims, rollouts, strict=True)
        ]
        return Values(values, {i: aim for i, aim in enumerate(aims) if isinstance(aim, str)})


def _value(aim: int, count: int) -> float:
    low = aim - int(min(max(0.15 * aim, 350), 1000))
    high = aim + int(min(max(0.25 * aim, 600), 1500))
    if count < low:
        return count / low - 1
    return -min(1.0, count / high - 1) if count > high else 0.0
