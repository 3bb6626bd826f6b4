"""What counting sees: length, vocabulary, repetition, marks. Rates and fixed windows, so that length is said once."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence, Sized

from judgekit.judges.features.units import sentences, windows, words

QUOTED = re.compile(r"“[^”“\n]{1,2000}”|\"[^\"\n]{1,2000}\"|「[^」「\n]{1,2000}」")
ODD = re.compile(r"[^\w\s.,;:!?…'’‘\"“”`()\-–—。，！？、「」]")

FIRST = frozenset("i me my mine myself we us our ours ourselves".split())
SECOND = frozenset("you your yours yourself".split())
THIRD = frozenset("he him his himself she her hers herself they them their theirs themselves".split())
LINK = frozenset(
    "but because so then when while before after until although though however since if finally suddenly once instead "
    "yet therefore as".split()
)
FUNCTION = (FIRST | SECOND | THIRD) | frozenset(
    "the a an and or but if then so as of to in on at by for with from into out up down over under about after before "
    "is was were be been being are am do did does have had has not no that this these those there here it its what "
    "who which when where why how all any some just only very too can could would should will may might must "
    "than".split()
)
GROUPS = {"function": FUNCTION, "links": LINK, "first": FIRST, "second": SECOND, "third": THIRD}


def surface(text: str) -> dict[str, float]:
    """Return the surface features of a text."""
    low, parts = [word.lower() for word in words(text)], sentences(text)
    return {**_length(low, parts), **_lexical(low), **_repetition(low, parts, text), **_marks(text, len(low))}


def share(part: float, whole: float) -> float:
    """Return part / whole; 0 of nothing."""
    return part / whole if whole else 0.0


def content_words(low: Sequence[str]) -> set[str]:
    """Return the distinct words that carry content."""
    return set(low) - FUNCTION


def _length(low: list[str], parts: list[str]) -> dict[str, float]:
    n, sizes = len(low), [len(words(part)) for part in parts] or [0]
    mean = sum(sizes) / len(sizes)
    return {
        "log_words": math.log1p(n),
        "sat_words": n / (n + 200.0),  # more words help less and less
        "log_content": math.log1p(len(content_words(low))),
        "sent_len": math.log1p(mean),
        "sent_len_sd": math.log1p(math.sqrt(sum((size - mean) ** 2 for size in sizes) / len(sizes))),
    }


def _lexical(low: list[str]) -> dict[str, float]:
    n = len(low)
    top = max(Counter(word for word in low if word not in FUNCTION).values(), default=0)
    return {
        "ttr50": _mean([_distinct(window) for window in windows(low, 50)]),
        "ttr150": _mean([_distinct(window) for window in windows(low, 150)]),
        "word_len": share(sum(min(len(word), 20) for word in low), n),
        "long_words": share(sum(len(word) > 6 for word in low), n),
        "top_word": share(top, n),
        **{name: share(sum(word in group for word in low), n) for name, group in GROUPS.items()},
    }


def _repetition(low: list[str], parts: list[str], text: str) -> dict[str, float]:
    blocks = windows(text[:20000].encode(), 600)  # zlib gains with length; fixed blocks take that away
    return {
        "rep2": _repeated(low, 2),
        "rep3_local": _mean([_repeated(window, 3) for window in windows(low, 80)]),
        "same_sents": 1.0 - _distinct([part.lower() for part in parts]),
        "zip": _mean([min(len(zlib.compress(bytes(block))) / max(len(block), 1), 2.0) for block in blocks]),
    }


def _marks(text: str, n: int) -> dict[str, float]:
    """Return square roots of rates per word: the first few marks say more than the next hundred."""
    marks = {
        "commas": sum(map(text.count, ",，、")),
        "questions": sum(map(text.count, "?？")),
        "exclaims": sum(map(text.count, "!！")),
        "ellipses": text.count("...") + text.count("…"),
        "odd_chars": len(ODD.findall(text)),
        "digits": sum(character.isdigit() for character in text),
    }
    dialogue = share(sum(map(len, QUOTED.findall(text))), len(text))
    return {**{name: math.sqrt(share(count, n)) for name, count in marks.items()}, "dialogue": dialogue}


def _distinct(items: Sequence[object] | Sized) -> float:
    return len(set(items)) / len(items) if items else 1.0  # type: ignore[call-overload]


def _repeated(low: Sequence[str], n: int) -> float:
    return 1.0 - _distinct(list(zip(*(low[i:] for i in range(n)), strict=False)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
