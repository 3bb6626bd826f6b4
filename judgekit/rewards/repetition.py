"""What POLARIS punishes besides bad stories: repetition, emptiness, and thinking without end.

All values are 0 or less: a penalty enters a weighted sum with a positive weight.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from judgekit.episodes.answer import CLOSED, OPENED
from judgekit.errors import InputError
from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.length import effective_length
from judgekit.rewards.requested import count_words, unescaped
from judgekit.rewards.rollout import Rollout

TOKEN = re.compile(r"\w+|\S")
GRAM, WINDOW, FREE = 4, 64, 0.08


def words_and_signs(text: str) -> list[str]:
    """Return a text as POLARIS's tokens: lower-cased runs of word characters, and every other visible sign."""
    return [token.lower() for token in TOKEN.findall(text)]


def self_repetition(text: str, tokens: Callable[[str], Sequence[str]] = words_and_signs) -> float:
    """Return POLARIS's self-repetition, 0 or more: min(1.5, 0.8 (0.7 max(0, g - 0.08) + 0.3 l) + 0.4 d).

    Of the 4-grams of tokens, g is the share of those that stood before anywhere, l of those that stood among the last
    64 grams (their own place is the 64th, as in the release: at most 63 places before); d is the share of non-blank
    lines that repeat an earlier one, space around them aside. Fewer than 4 tokens have no grams: g = l = 0.
    """
    units = tokens(text)
    grams = list(zip(*(units[i:] for i in range(GRAM)), strict=False))
    lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
    excess = max(0.0, _repeated(grams) - FREE)
    return min(1.5, 0.8 * (0.7 * excess + 0.3 * _near(grams)) + 0.4 * _repeated(lines))


def _repeated(items: Sequence[object]) -> float:
    return (len(items) - len(Counter(items))) / max(1, len(items))


def _near(grams: Sequence[object]) -> float:
    last: dict[object, int] = {}
    hits = 0
    for i, gram in enumerate(grams):
        hits += i - last.get(gram, -WINDOW) < WINDOW
        last[gram] = i
    return hits / max(1, len(grams))


class RepetitionPenalty(Channel):
    """POLARIS's self-repetition of what a reader sees, negated: 0 to -1.5. POLARIS's weight for it is 1.5.

    Args:
        tokens: how the text is cut. POLARIS's own way takes a Chinese sentence for one word, and so sees little of what
            repeats in it; ``list`` takes single characters.
    """

    lowest = -1.5

    def __init__(self, tokens: Callable[[str], Sequence[str]] = words_and_signs, name: str = "repetition") -> None:
        self.tokens, self.name = tokens, name

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        return Values([-self_repetition(rollout.visible, self.tokens) for rollout in rollouts])


class BlankPenalty(Channel):
    """-1 where there is next to nothing to read, else 0. POLARIS's weight for it is 1.

    Next to nothing: fewer than ``words`` words, as `judgekit.rewards.requested.count_words` counts them, or less than a
    share ``shown`` of characters that are not white space, of what a reader sees. POLARIS has 150 words, for stories of
    1,000 and more; set it for yours.

    Raises:
        InputError: a negative number of words, or a share outside [0, 1].
    """

    lowest = -1.0

    def __init__(self, words: int = 150, shown: float = 0.10, name: str = "blank") -> None:
        if words < 0 or not 0 <= shown <= 1:
            raise InputError(f"a blank text has fewer than 0 or more words and a share in [0, 1], not {words}, {shown}")
        self.words, self.shown, self.name = words, shown, name

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        return Values([-float(self._blank(rollout.visible)) for rollout in rollouts])

    def _blank(self, text: str) -> bool:
        text = unescaped(text)
        shown = sum(map(len, text.split())) / max(1, len(text))
        return shown < self.shown or count_words(text) < self.words


class ThinkingBudgetPenalty(Channel):
    """POLARIS's penalty for thinking beyond a budget: -each * (thinking tokens beyond it) / (all tokens).

    POLARIS takes 0.05 off the reward of every thinking token after the 3,072nd, where every token has the reward R. As
    one number for the response that is R - 0.05 over / L of L tokens on average (or L times that as a sum), so that at
    weight 1 this channel does to R what POLARIS does to it. Values lie in (-each, 0]. For a stronger pull raise
    ``each`` or the weight.

    Thinking is what stands before the last ``</think>``, the mark included; where ``<think>`` is never ended, all. (The
    release takes none of it for thinking then.)

    Args:
        budget: thinking tokens that cost nothing.
        end: the id of ``</think>`` in the policy's vocabulary: tokens are counted in the column ``completion_ids``,
            which TRL passes along, and the value is None where a row has none.
        count: without ``end``, how the tokens of a text are counted: a tokenizer's ``lambda text: len(encode(text))``.
            Without either it is `effective_length`: words and characters, in English about three for four tokens.

    Raises:
        InputError: a negative budget or penalty.
    """

    def __init__(
        self,
        budget: int = 3072,
        each: float = 0.05,
        *,
        end: int | None = None,
        count: Callable[[str], int] = effective_length,
        name: str = "thinking_budget",
    ) -> None:
        if budget < 0 or each < 0:
            raise InputError(f"a budget and its penalty are 0 or more, not {budget} and {each}")
        self.budget, self.each, self.end, self.count, self.name = budget, each, end, count, name
        self.lowest = -each

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        values = [self._value(rollout) for rollout in rollouts]
        reason = "the row has no column 'completion_ids' of token ids, in which </think> could be found"
        return Values(values, {i: reason for i, value in enumerate(values) if value is None})

    def _value(self, rollout: Rollout) -> float | None:
        counts = self._of_text(rollout.completion) if self.end is None else self._of_ids(rollout)
        if counts is None:
            return None
        thinking, total = counts
        return -self.each * max(0, thinking - self.budget) / max(1, total)

    def _of_text(self, text: str) -> tuple[int, int]:
        before, mark, after = text.rpartition(CLOSED)
        if mark:
            thinking = self.count(before + mark)
            return thinking, thinking + self.count(after)
        total = self.count(text)
        return (total if OPENED in text else 0), total

    def _of_ids(self, rollout: Rollout) -> tuple[int, int] | None:
        ids = rollout.columns.get("completion_ids")
        if ids is None or isinstance(ids, str) or not hasattr(ids, "__len__"):
            return None
        found = [i for i, token in enumerate(ids) if token == self.end]
        if found:
            return found[-1] + 1, len(ids)
        return (len(ids) if OPENED in rollout.completion else 0), len(ids)
