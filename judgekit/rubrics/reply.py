"""A judge's reply -> its verdict, or the reason why there is none. Never a guess.

The rules: what stands after the thinking counts; the last verdict wins; only values on the menu count; two values
for one thing are no value. Everything here takes time linear in the length of the reply.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from judgekit.rubrics.rubric import Criterion, Rubric
from judgekit.types import Winner

JSON_TOKEN = re.compile(r'\\.|["{}]', re.DOTALL)
COMMA_TOKEN = re.compile(r'\\.|"|,(?=\s*+[}\]])', re.DOTALL)
DECIMAL = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?")
NAME_TRIM = " \t*_`#>-[]()\"'"
VALUE_TRIM = " \t*_`[]()\"'"  # not "-" and not a leading ".": they belong to numbers
PAIR_KEYS = ("score_a", "score_b", "verdict")
VERDICT_KEYS = frozenset({*PAIR_KEYS, "score"})
QUOTED = re.compile(r"""\s*+(?:>|(["'`])(?!.*\1))""")  # a line that the judge quotes rather than says
THINKING = re.compile(r"</?(?:seed:)?think(?:ing)?>|\[/?THINK\]|◁/?think▷|<\|(?:START|END)_THINKING\|>", re.IGNORECASE)
FINAL = "<|channel|>final<|message|>"
MARK = re.compile(r"<\|[a-z_]{1,40}\|>")
MAX_CHARS = 1_000_000


@dataclass(frozen=True)
class Verdict:
    """What a reply says about one response.

    Attributes:
        values: a value on the menu, or None, for every criterion that was asked.
        problems: why a criterion has no value, by criterion.
        rationale: the reasons as written.
        reasons_first: whether the reasons stood before the score everywhere.
    """

    values: Mapping[str, float | None]
    problems: Mapping[str, str] = field(default_factory=dict)
    rationale: str = ""
    reasons_first: bool = True

    @property
    def error(self) -> str | None:
        """All problems in one line; None when every criterion has a value."""
        by_reason: dict[str, list[str]] = {}
        for criterion, problem in self.problems.items():
            by_reason.setdefault(problem, []).append(criterion)
        return "; ".join(f"{', '.join(ids)}: {problem}" for problem, ids in by_reason.items()) or None


@dataclass(frozen=True)
class PairVerdict:
    """What a reply says about two responses; ``winner`` is None exactly when ``error`` is set."""

    winner: Winner | None
    scores: tuple[float | None, float | None] = (None, None)
    rationale: str = ""
    error: str | None = None
    reasons_first: bool = True


class _UnreadableError(Exception):
    """There is no verdict; the message is the reason."""


def read_scores(rubric: Rubric, reply: str, criterion: Criterion | None = None) -> Verdict:
    """Read the reply to a pointwise question about all criteria, or about ``criterion`` alone."""
    asked = [criterion] if criterion else list(rubric.criteria)
    try:
        answer = after_thinking(reply)
        keys = ["score"] if criterion else [c.id for c in asked]
        found = _lines(answer, keys) if rubric.reply == "lines" else _last_object(answer, keys)
    except _UnreadableError as problem:
        return Verdict({c.id: None for c in asked}, {c.id: str(problem) for c in asked}, rationale=reply)
    values: dict[str, float | None] = {}
    problems: dict[str, str] = {}
    for c in asked:
        try:
            values[c.id] = _criterion_value(c, found, alone=criterion is not None)
        except _UnreadableError as problem:
            values[c.id], problems[c.id] = None, str(problem)
    return Verdict(values, problems, answer.strip(), _reasons_first(rubric, answer, found))


def read_preference(rubric: Rubric, reply: str) -> PairVerdict:
    """Read the reply to a pairwise question: the verdict and, where given, the two scores, which must agree with it."""
    try:
        answer = after_thinking(reply)
        found = _lines(answer, PAIR_KEYS) if rubric.reply == "lines" else _last_object(answer, PAIR_KEYS)
        winner = _winner(found, ties=rubric.ties)
        scores = _pair_score(rubric, found, "score_a"), _pair_score(rubric, found, "score_b")
        _agree(winner, scores)
    except _UnreadableError as problem:
        return PairVerdict(None, rationale=reply, error=str(problem))
    return PairVerdict(winner, scores, answer.strip(), reasons_first=_reasons_first(rubric, answer, found))


def after_thinking(reply: str) -> str:
    """Return what follows the thinking. A draft verdict inside the thinking must never count."""
    if len(reply) > MAX_CHARS:
        _refuse(f"the reply has {len(reply)} characters")
    marks = list(THINKING.finditer(reply))
    if marks and not ("/" in marks[-1][0] or "END_" in marks[-1][0].upper()):
        _refuse("the thinking never ended")
    answer = (reply[marks[-1].end() :] if marks else reply).rpartition(FINAL)[2]
    if MARK.search(answer):
        _refuse("control marks in the reply: which part is the answer cannot be told")
    if not answer.strip():
        _refuse("the reply is empty")
    return answer


# --- JSON -------------------------------------------------------------------------------------------------------


def _last_object(text: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return the last outermost JSON object that holds one of the keys, keys folded."""
    for span in reversed(_outermost_objects(text)):
        folded = _fold(span)
        mentioned = any(key in folded for key in keys)
        try:
            found = _parse(span)
        except ValueError as problem:
            if mentioned:
                _refuse(f"broken JSON ({problem})")
            continue
        if any(key in found for key in keys):
            return found
        if mentioned:
            break
    _refuse("no verdict in the reply")


def _outermost_objects(text: str) -> list[str]:
    """Return the outermost ``{...}`` spans. What stands inside an object that is never closed does not count."""
    opened: list[int] = []
    spans: list[str] = []
    in_string = False
    for token in JSON_TOKEN.finditer(text):
        mark = token[0] if in_string else token[0][-1]
        if mark == '"':
            in_string = bool(opened) and not in_string
        elif in_string or len(mark) > 1:
            continue
        elif mark == "{":
            opened.append(token.end() - 1)
        elif not opened and spans:
            _refuse("a brace is closed that was never opened")
        elif opened:
            start = opened.pop()
            if not opened:
                spans.append(text[start : token.end()])
    if opened:
        _refuse("a JSON object is never closed")
    return spans


def _parse(span: str) -> dict[str, Any]:
    try:
        try:
            return DECODER.decode(span)  # type: ignore[no-any-return]
        except json.JSONDecodeError:
            return DECODER.decode(_without_trailing_commas(span))  # type: ignore[no-any-return]
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _without_trailing_commas(text: str) -> str:
    in_string = False

    def keep(token: re.Match[str]) -> str:
        nonlocal in_string
        in_string ^= token[0] == '"'
        return "" if token[0] == "," and not in_string else token[0]

    return COMMA_TOKEN.sub(keep, text)


def _no_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        name = _fold(key)
        if name in found and (found[name] != value or isinstance(found[name], bool) != isinstance(value, bool)):
            raise ValueError(f"the key {name!r} stands twice with different values")
        found[name] = value
    return found


def _no_constants(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a score")


DECODER = json.JSONDecoder(object_pairs_hook=_no_doubled_keys, parse_constant=_no_constants, strict=False)


def _fold(key: str) -> str:
    return key.strip().casefold().replace(" ", "_").replace("-", "_")


# --- lines ------------------------------------------------------------------------------------------------------


def _lines(text: str, names: Sequence[str]) -> dict[str, Any]:
    """Return the last value of each ``name: value`` line with one of the names, which stand in the form's order.

    A value that stands before the last one of an earlier name belongs to a draft, and does not count.
    """
    last: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.splitlines()):
        name, value = _named(line)
        if name in names:
            last[name] = (number, _trim(value))
    found: dict[str, Any] = {}
    reached = -1
    for name in names:
        number, value = last.get(name, (-1, ""))
        if number > reached:
            reached, found[name] = number, value
    return found


def _named(line: str) -> tuple[str, str]:
    """Return the name and the value of a ``name: value`` line; no name where it is none, or a quoted one."""
    name, colon, value = line.replace("：", ":", 1).partition(":")
    return (_fold(name.strip(NAME_TRIM)) if colon and len(name) <= 80 and not QUOTED.match(name) else "", value)


# --- values -----------------------------------------------------------------------------------------------------


def _criterion_value(criterion: Criterion, found: Mapping[str, Any], *, alone: bool) -> float:
    entry: Any = found if alone else found.get(criterion.id)
    if entry is None:
        _refuse("missing from the reply")
    raw = entry.get("score") if isinstance(entry, dict) else entry
    value = _on_menu(criterion, raw)
    if criterion.quote_from is not None and value >= criterion.quote_from and not _has_quote(entry):
        _refuse(f"{value:g} needs a quote")
    return value


def _on_menu(criterion: Criterion, raw: Any) -> float:
    """Return the menu's value for what the judge wrote: a number, a label, or "4/5" where 5 is the top."""
    if isinstance(raw, str):
        label = _trim(raw).casefold()
        for name, value in criterion.menu.items():
            if label == name.casefold():
                return value
        raw = _decimal(label.removesuffix(f"/{criterion.scale[1]:g}"))
    number = _number(raw)
    if number is None or any(isinstance(key, str) for key in criterion.anchors):
        _refuse("no value on the menu")
    for value in criterion.menu.values():
        if abs(value - number) < 1e-9:
            return value
    _refuse("the value is not on the menu")


def _number(raw: Any) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return None
    try:
        return float(raw)
    except OverflowError:
        return math.inf


def _decimal(text: str) -> float | None:
    return float(text) if DECIMAL.fullmatch(text.strip()) else None


def _trim(value: str) -> str:
    return value.strip(VALUE_TRIM).removesuffix(".").strip(VALUE_TRIM)


def _has_quote(entry: Any) -> bool:
    quote = entry.get("quote") if isinstance(entry, dict) else None
    quotes = quote if isinstance(quote, list) else [quote]
    return any(isinstance(text, str) and any(map(str.isalnum, text)) for text in quotes)


def _winner(found: Mapping[str, Any], *, ties: bool) -> Winner:
    raw = found.get("verdict")
    word = _trim(raw).casefold() if isinstance(raw, str) else ""
    winners: dict[str, Winner] = {"a": "a", "b": "b", **({"tie": "tie"} if ties else {})}
    if word not in winners:
        _refuse("the verdict is not on the menu" if word else "no verdict in the reply")
    return winners[word]


def _pair_score(rubric: Rubric, found: Mapping[str, Any], name: str) -> float | None:
    raw = found.get(name)
    if raw is None:
        return None
    low, high = rubric.scores
    value = _number(_decimal(_trim(raw).removesuffix(f"/{high}")) if isinstance(raw, str) else raw)
    if value is None or not (low <= value <= high and value.is_integer()):
        _refuse(f"{name} is not on the menu")
    return value


def _agree(winner: Winner, scores: tuple[float | None, float | None]) -> None:
    a, b = scores
    if (a is None) != (b is None):
        _refuse("one of the two scores is missing")
    if a is None or b is None:
        return
    better: Winner = "a" if a > b else "b" if b > a else "tie"
    if better != winner and not (better == "tie" and winner != "tie"):
        _refuse("the verdict contradicts the scores")


def _reasons_first(rubric: Rubric, answer: str, found: Mapping[str, Any]) -> bool:
    """Say whether no object puts its score or verdict before all of its texts; nor, in lines, the reply."""
    if rubric.reply == "lines":
        names = [_named(line)[0] in found for line in answer.splitlines() if line.strip()]
        return not names[0] or all(names)
    for entry in (found, *(value for value in found.values() if isinstance(value, dict))):
        texts = [key for key, value in entry.items() if key not in VERDICT_KEYS and isinstance(value, (str, dict))]
        if texts and next(iter(entry)) in VERDICT_KEYS:
            return False
    return True


def _refuse(reason: str) -> NoReturn:
    raise _UnreadableError(reason)
