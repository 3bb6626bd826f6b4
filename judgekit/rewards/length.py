"""How long a text is, and length as a channel."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from judgekit.errors import InputError
from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.rollout import Rollout

# What counts one by one: Han (planes 2 and 3 hold nothing else), kana, Hangul; of Hangul written as parts the first.
HAN = (
    "\u2e80-\u2e99\u2e9b-\u2ef3\u2f00-\u2fd5\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufad9\U00016fe2\U00016fe3\U00016ff0-\U00016ff6\U00020000-\U0003fffd"
)
KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d\U0001aff0-\U0001b16f"
HANGUL = "\uac00-\ud7a3\u3131-\u318e\u1100-\u115e\ua960-\ua97c\uffa1-\uffdc"
ALONE = re.compile(f"[{HAN}{KANA}{HANGUL}]")
# What belongs to the character before it: the later parts of Hangul, half-width voice marks, joiners, a soft hyphen.
PART = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb\uff9e\uff9f\u200b-\u200d\u2060\ufeff\u00ad]")
KINDS = {"'": "'", "’": "'", ".": ".", ",": ".", ":": ".", "．": ".", "：": "."}
WORD = re.compile(r"[ld]++(?:'[ld]++|(?<=d)\.(?=d)[ld]++)*+")


def effective_length(text: str) -> int:
    """Return the length of a text in words and characters, for whatever mix of languages.

    Each Han character (extensions and 々 〇 too), kana and Hangul syllable is 1; so is each other word, accents, an
    apostrophe in it and all ("don't", "Élan", "l'été"), and each number, also 3.14, 1,000 and 20:30. A hyphen divides
    ("well-known" is 2), so do a dot and an underscore between letters; signs and emoji are nothing. How an accent or a
    syllable is encoded (NFC or NFD) makes no difference. A script that neither divides its words nor stands above, as
    Thai, counts a run as 1.

    EpisodeBench wants its "effective length" so and counts otherwise: see `judgekit.rewards.published.count_tokens`.
    """
    kinds = "".join(map(_kind, text))
    return kinds.count("h") + sum(1 for _ in WORD.finditer(kinds))


@lru_cache(maxsize=1 << 16)
def _kind(char: str) -> str:
    """Return h for what counts alone, l, d, an apostrophe or a dot for parts of words, a space, or nothing at all."""
    if ALONE.match(char):
        return "h"
    if PART.match(char) or unicodedata.category(char)[0] == "M":
        return ""
    if char.isalnum():
        return "d" if char.isdecimal() else "l"
    return KINDS.get(char, " ")


def visible(rollout: Rollout) -> str:
    """Return what a reader sees of a rollout."""
    return rollout.visible


class LengthReward(Channel):
    """R_len of EpisodeBench: 1 for a length n in [low, high], else exp(-((n - bound) / sigma)^2 / 2), bound the nearer.

    EpisodeBench's released code has [80, 100] and sigma 10, of narratives and utterances, in any language; its own
    reference turns are mostly longer (76 to 192 as it counts), so look at yours before you take these numbers.

    Args:
        low, high: in the unit of ``length``; ``high`` may be infinite.
        text: what of a rollout is measured: what a reader sees, or `judgekit.rewards.story_text`, the narratives and
            utterances of an EpisodeBench turn. Where it gives None there is no text to measure, and the value is 0.
        length: how it is measured.

    Raises:
        InputError: not 0 <= low <= high, or a sigma that is not above 0.
    """

    def __init__(
        self,
        low: float,
        high: float,
        sigma: float = 10.0,
        *,
        text: Callable[[Rollout], str | None] = visible,
        length: Callable[[str], int] = effective_length,
        name: str = "length",
    ) -> None:
        if not 0 <= low <= high or not 0 < sigma < math.inf:
            raise InputError(f"a length needs 0 <= low <= high and a sigma above 0, not {low}, {high} and {sigma}")
        self.low, self.high, self.sigma = low, high, sigma
        self.text, self.length, self.name = text, length, name

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        return Values([self._value(self.text(rollout)) for rollout in rollouts])

    def _value(self, text: str | None) -> float:
        if text is None:
            return 0.0
        n = self.length(text)
        off = (max(self.low - n, 0.0) + max(n - self.high, 0.0)) / self.sigma
        return math.exp(-off * off / 2)
