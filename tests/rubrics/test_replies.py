"""Judges' replies, good, broken and hostile: the right verdict or none, never a wrong number, never an exception.

The replies are in replies.yaml; here are the rubrics they answer to, and what holds for every reply there can be.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from judgekit.rubrics.prompt import reply_form
from judgekit.rubrics.reply import MAX_CHARS, PairVerdict, Verdict, read_preference, read_scores
from judgekit.rubrics.rubric import Criterion, Rubric
from judgekit.rubrics.schema import reply_schema

PLOT = Criterion(id="plot", title="Plot", range=(1, 5))
STYLE = Criterion(id="style", title="Style", range=(1, 5))
HALVES = Criterion(id="pace", title="Pace", range=(1, 5), step=0.5)
EXTREMES = Criterion(id="ending", title="Ending", anchors={0: "None.", 5: "One."})
WORDS = Criterion(id="tense", title="Tense", anchors={"no": "Changes.", "yes": "Holds."})
QUOTING = Criterion(id="cliches", title="Clichés", range=(0, 5), quote_from=3)


@dataclass(frozen=True)
class Question:
    """What a reply answers: a rubric, and one of its criteria where that one is asked alone."""

    rubric: Rubric
    criterion: Criterion | None = None

    def read(self, reply: str) -> Verdict | PairVerdict:
        if self.rubric.mode == "pairwise":
            return read_preference(self.rubric, reply)
        return read_scores(self.rubric, reply, self.criterion)

    def reading(self, reply: str) -> list[Any]:
        """Return the values in order, or the winner and the two scores."""
        verdict = self.read(reply)
        return [verdict.winner, *verdict.scores] if isinstance(verdict, PairVerdict) else list(verdict.values.values())

    def asked(self) -> list[Criterion]:
        return [self.criterion] if self.criterion else list(self.rubric.criteria)


def question(*criteria: Criterion, alone: bool = False, **options: Any) -> Question:
    return Question(Rubric(id="test", title="Test", criteria=criteria, **options), criteria[0] if alone else None)


QUESTIONS = {
    "two": question(PLOT, STYLE),
    "alone": question(PLOT, STYLE, alone=True),
    "halves": question(HALVES, alone=True),
    "extremes": question(EXTREMES, alone=True),
    "words": question(WORDS, alone=True),
    "quoting": question(QUOTING, alone=True),
    "pair": question(PLOT, mode="pairwise"),
    "pair_ties": question(PLOT, mode="pairwise", ties=True),
    "lines": question(PLOT, STYLE, reply="lines"),
    "lines_alone": question(PLOT, STYLE, reply="lines", alone=True),
    "lines_words": question(WORDS, reply="lines", alone=True),
    "lines_pair": question(PLOT, mode="pairwise", reply="lines"),
    "lines_pair_ties": question(PLOT, mode="pairwise", reply="lines", ties=True),
}
# What GOOD and DRAFT stand for, and what GOOD says.
SAMPLES: dict[str, tuple[str, str, list[Any]]] = {
    "two": (
        '{"plot": {"reason": "p", "score": 4}, "style": {"reason": "s", "score": 3}}',
        '{"plot": {"reason": "p", "score": 5}, "style": {"reason": "s", "score": 5}}',
        [4, 3],
    ),
    "alone": ('{"reason": "r", "score": 4}', '{"reason": "r", "score": 5}', [4]),
    "words": ('{"reason": "r", "score": "no"}', '{"reason": "r", "score": "yes"}', [0]),
    "quoting": ('{"reason": "r", "quote": "q", "score": 4}', '{"reason": "r", "quote": "q", "score": 5}', [4]),
    "halves": ('{"reason": "r", "score": 4.5}', '{"reason": "r", "score": 5}', [4.5]),
    "pair": (
        '{"reasons": {"plot": "p"}, "score_a": 7, "score_b": 5, "verdict": "A"}',
        '{"reasons": {"plot": "p"}, "score_a": 2, "score_b": 9, "verdict": "B"}',
        ["a", 7, 5],
    ),
    "lines": ("plot: 4\nstyle: 3", "plot: 5\nstyle: 5", [4, 3]),
    "lines_alone": ("Score: 4", "Score: 5", [4]),
    "lines_pair": ("Score A: 10\nScore B: 5\nVerdict: A", "Score A: 2\nScore B: 9\nVerdict: B", ["a", 10, 5]),
}
SAMPLES["pair_ties"] = SAMPLES["pair"]


# --- the corpus -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    rubric: str
    kind: str
    name: str  # what the group is about, and the reply's own name
    reply: str
    reading: list[Any]
    why: str
    or_none: bool


def corpus() -> Iterator[Case]:
    for group in yaml.safe_load(Path(__file__).with_name("replies.yaml").read_text(encoding="utf-8")):
        frames = group.get("frames") or dict.fromkeys(group["rubrics"], "@")
        for rubric, frame in frames.items():
            for name, text, verdict, *why in group["replies"]:
                reply = filled(rubric, frame.replace("@", text))
                reading, or_none = expected(rubric, verdict, frame), group.get("or none", False)
                yield Case(rubric, group["class"], f"{group['about']}: {name}", reply, reading, *(why or [""]), or_none)


def filled(rubric: str, text: str) -> str:
    good, draft, _ = SAMPLES.get(rubric, ("", "", []))
    form = reply_form(QUESTIONS[rubric].rubric, QUESTIONS[rubric].criterion)
    words = {"GOOD": good, "DRAFT": draft, "CUT": good[:-1], "FORM": form, "ESCAPED": json.dumps(good)[1:-1]}
    words |= {"PYTHON": good.replace('"', "'"), "SMART": good.replace('"', "”")}
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def expected(rubric: str, verdict: Any, frame: str) -> list[Any]:
    pairwise = QUESTIONS[rubric].rubric.mode == "pairwise"
    if verdict == "good":
        return SAMPLES[rubric][2]
    if isinstance(verdict, list):
        return verdict
    if pairwise:
        return [verdict, None, None]
    # A frame for two criteria gives the second one the value 3.
    return [verdict, 3] if '"style": 3' in frame else [verdict] * len(QUESTIONS[rubric].asked())


CASES = list(corpus())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rubric}: {case.name}")
def test_a_reply_is_read_right_or_not_at_all(case: Case) -> None:
    reading = QUESTIONS[case.rubric].reading(case.reply)
    error = QUESTIONS[case.rubric].read(case.reply).error

    if case.or_none:
        assert all(value in {right, None} for value, right in zip(reading, case.reading, strict=True))
    else:
        assert reading == case.reading
        assert case.why in (error or "")
    unread = None in (reading[:1] if QUESTIONS[case.rubric].rubric.mode == "pairwise" else reading)
    assert unread == bool(error)


def test_the_corpus_is_large_and_mostly_hostile() -> None:
    written = {(case.rubric, case.reply): case.kind for case in CASES}
    kinds = Counter(written.values())

    assert len(written) == len(CASES), "a reply stands in the corpus twice"
    assert sum(kinds.values()) >= 500
    assert kinds["hostile"] >= 160


GIANTS = {
    "5,000 digits": ('{"score": ' + "4" * 5000 + "}", "broken JSON"),
    "5,000 digits in a string": ('{"score": "' + "4" * 5000 + '"}', "menu"),
    "400 digits": ('{"score": ' + "4" * 400 + "}", "menu"),
    "400 digits after the point": ('{"score": 4.' + "0" * 399 + "1}", None),
    "400 zeros after the point": ('{"score": 4.' + "0" * 400 + "}", None),
    "10,000 open brackets": ('{"reason": ' + "[" * 10_000 + ', "score": 4}', "broken JSON"),
    "10,000 nested brackets": ('{"reason": ' + "[" * 10_000 + "]" * 10_000 + ', "score": 4}', "nested too deeply"),
    "10,000 nested objects": ('{"score":' * 10_000 + "4" + "}" * 10_000, "nested too deeply"),
    "10,000 open braces": ("{" * 10_000 + '{"score": 4}', "never closed"),
    "10,000 closing braces": ("}" * 10_000 + '{"score": 4}', None),
    "10,000 objects": ("{} " * 10_000 + '{"score": 4}', None),
    "a long reason": ('{"reason": "' + "x" * 300_000 + '", "score": 4}', None),
    "too long": (" " * MAX_CHARS + '{"score": 4}', "characters"),
}


@pytest.mark.parametrize("name", GIANTS)
def test_giants_are_read_right_or_not_at_all(name: str) -> None:
    reply, why = GIANTS[name]

    verdict = read_scores(QUESTIONS["alone"].rubric, reply, PLOT)

    assert verdict.values == {"plot": None if why else 4}
    assert (why or "") in (verdict.error or "")


# A menu on which one label begins like another ("4", "4.5") is left out of the lines: "Score: 4" may be cut off there
# and nobody could tell. That is for the model to say (finish_reason), before a reply gets here.
CUTTABLE = [
    *((name, "GOOD") for name in SAMPLES),
    *((name, "Here it is:\n```json\nGOOD\n```\nDone.") for name in ("two", "alone", "words", "halves", "pair")),
    *((name, "<think>DRAFT No: </think>GOOD") for name in SAMPLES),
    ("two", '{"plot": {"reason": "It says {\\"plot\\": 5, \\"style\\": 5}\\\\", "score": 4,}, "style": "3/5",}'),
    ("pair", '{"reasons": "{\\"verdict\\": \\"B\\"}", "score_a": "7/10", "score_b": 5.0, "verdict": "[[A]]"}'),
]


@pytest.mark.parametrize(("name", "text"), CUTTABLE)
def test_a_reply_cut_off_anywhere_gives_the_same_verdict_or_none(name: str, text: str) -> None:
    reply, right = filled(name, text), SAMPLES[name][2]

    assert QUESTIONS[name].reading(reply) == right
    for end in range(len(reply)):
        reading = QUESTIONS[name].reading(reply[:end])
        assert all(value in {good, None} for value, good in zip(reading, right, strict=True)), reply[:end]


# --- every reply there can be -----------------------------------------------------------------------------------

HOSTILE = [
    *"{}[]\"'\\:：,\n\r\0\u2028\ud800\u200b5５-",
    *["<think>", "</think>", "```", '\\"', "NaN", "1e999", "5/5", '"score": 5', '{"score": 5}', '{"verdict": "B"}'],
    *["Score: 5", "\nScore: 5\n", "> plot: 5", "Verdict: B\n", '", "score": 5}', '"} {"plot": 5, "style": 5}'],
    *(text for good, draft, _ in SAMPLES.values() for text in (good, draft)),
]
any_text = st.one_of(
    st.text(st.characters(codec=None)), st.lists(st.sampled_from(HOSTILE) | st.text(max_size=3)).map("".join)
)


@pytest.mark.parametrize("name", QUESTIONS)
@settings(deadline=None)
@given(reply=any_text)
def test_any_text_gives_values_on_the_menu_or_a_reason(name: str, reply: str) -> None:
    asked, verdict = QUESTIONS[name], QUESTIONS[name].read(reply)

    if isinstance(verdict, PairVerdict):
        assert verdict.winner in ({"a", "b", "tie", None} if asked.rubric.ties else {"a", "b", None})
        assert (verdict.winner is None) == bool(verdict.error)
        assert all(score is None or score in range(1, 11) for score in verdict.scores)
    else:
        assert list(verdict.values) == [criterion.id for criterion in asked.asked()]
        for criterion in asked.asked():
            value = verdict.values[criterion.id]
            assert value in criterion.menu.values() or (value is None and verdict.problems[criterion.id])
        assert set(verdict.problems) == {key for key, value in verdict.values.items() if value is None}


class Asked:
    """A reply in the asked form, with drawn values and hostile reasons, and what must be read from it."""

    def __init__(self, asked: Question, data: st.DataObject) -> None:
        self.rubric, self.criteria, self.draw = asked.rubric, asked.asked(), data.draw
        self.values = [self.draw(st.sampled_from(list(c.menu.items()))) for c in self.criteria]
        low, high = sorted(self.draw(st.tuples(st.integers(1, 10), st.integers(1, 10))))
        self.winner = self.draw(st.sampled_from(["A", "B", "tie"] if self.rubric.ties and low == high else ["A", "B"]))
        self.scores = (high, low) if self.winner == "A" else (low, high)
        self.right: list[Any] = [value for _, value in self.values]
        if self.rubric.mode == "pairwise":
            self.right = [self.winner.casefold(), *self.scores]

    def reason(self) -> str:
        return self.draw(any_text)

    def fill(self, form: Any, criterion: Criterion | None = None) -> Any:
        """Fill in the form, as it was read from the prompt."""
        by_id = {c.id: c for c in self.criteria}
        verdict = {"score_a": self.scores[0], "score_b": self.scores[1], "verdict": self.winner}
        full = {}
        for key, place in form.items():
            if isinstance(place, dict):
                full[key] = self.fill(place, by_id.get(key, criterion))
            elif place == "...":
                full[key] = f"{key} {self.reason()}"  # never empty: a quote must have something in it
            else:
                full[key] = verdict[key] if key in verdict else self.number(criterion or self.criteria[0])
        return full

    def number(self, criterion: Criterion) -> Any:
        label, value = self.values[self.criteria.index(criterion)]
        return label if any(isinstance(key, str) for key in criterion.anchors) else value


@pytest.mark.parametrize("name", [name for name, asked in QUESTIONS.items() if asked.rubric.reply == "json"])
@settings(deadline=None)
@given(data=st.data())
def test_a_filled_in_json_form_is_read_back(name: str, data: st.DataObject) -> None:
    asked = Asked(QUESTIONS[name], data)
    form = json.loads(reply_form(QUESTIONS[name].rubric, QUESTIONS[name].criterion))

    indent = data.draw(st.sampled_from([None, 1]))
    reply = json.dumps(asked.fill(form), ensure_ascii=data.draw(st.booleans()), indent=indent)
    reading = QUESTIONS[name].reading(reply)

    # A reason that quotes the marks of thinking makes the reply unreadable: better than to take a draft for a verdict.
    assert reading == asked.right or ("think" in reply.casefold() and set(reading) == {None})


@pytest.mark.parametrize("name", [name for name, asked in QUESTIONS.items() if asked.rubric.reply == "lines"])
@settings(deadline=None)
@given(data=st.data())
def test_filled_in_lines_are_read_back(name: str, data: st.DataObject) -> None:
    asked = Asked(QUESTIONS[name], data)
    reasons, *form = reply_form(QUESTIONS[name].rubric, QUESTIONS[name].criterion).splitlines()
    if QUESTIONS[name].rubric.mode == "pairwise":
        values = [*map(str, asked.scores), asked.winner]
    else:
        values = [label for label, _ in asked.values]

    lines = [f"{line.partition('<')[0]}{value}" for line, value in zip(form, values, strict=True)]
    reply = "\n".join([reasons.replace("...", asked.reason()), *lines])
    reading = QUESTIONS[name].reading(reply)

    assert reading == asked.right or ("think" in reply.casefold() and set(reading) == {None})


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.floats(allow_nan=True),
    st.sampled_from([0.5 * i for i in range(-3, 24)]),
    st.sampled_from(["yes", "no", "maybe", "A", "B", "tie", "C", ""]),
    st.lists(st.integers(1, 5), max_size=2),
)


def same(one: Any, other: Any) -> bool:
    """Say whether a written value is one of the menu's: same kind, and equal as far as one can write it."""
    if isinstance(one, bool) or not isinstance(one, (int, float)) or isinstance(other, str):
        return type(one) is type(other) and one == other
    return one == other or (isinstance(one, float) and abs(one - other) < 1e-9)


@pytest.mark.parametrize("name", ["alone", "halves", "extremes", "words"])
@settings(deadline=None)
@given(value=JSON_VALUES)
@example(value=True)
@example(value=4.0)
@example(value=10**400)
def test_the_values_of_the_schema_are_the_ones_that_count(name: str, value: Any) -> None:
    asked = QUESTIONS[name]
    menu = reply_schema(asked.rubric, asked.criterion)["properties"]["score"]["enum"]

    (reading,) = asked.reading(json.dumps({"reason": "r", "score": value}))

    assert (reading is not None) == any(same(value, allowed) for allowed in menu)


@pytest.mark.parametrize("name", ["pair", "pair_ties"])
@settings(deadline=None)
@given(a=JSON_VALUES, b=JSON_VALUES, verdict=JSON_VALUES)
@example(a=7.5, b=5, verdict="A")
def test_the_schema_of_a_comparison_names_what_counts(name: str, a: Any, b: Any, verdict: Any) -> None:
    fields = reply_schema(QUESTIONS[name].rubric)["properties"]
    reply = {"score_a": a, "score_b": b, "verdict": verdict}

    winner, *_ = QUESTIONS[name].reading(json.dumps(reply))
    without_scores, *_ = QUESTIONS[name].reading(json.dumps({"verdict": verdict}))

    assert (without_scores is not None) == (verdict in fields["verdict"]["enum"])
    if winner is not None and (a, b) != (None, None):
        assert all(any(same(reply[key], allowed) for allowed in fields[key]["enum"]) for key in reply)


# --- time -------------------------------------------------------------------------------------------------------

GENERATORS: dict[str, Callable[[int], str]] = {
    "digits": lambda n: '{"score": ' + "4" * n + "}",
    "digits after the point": lambda n: '{"score": 4.' + "1" * n + "}",
    "quotes": lambda n: "{" + '"' * n + "}",
    "escaped quotes": lambda n: '{"score": "' + '\\"' * (n // 2) + '"}',
    "backslashes": lambda n: '{"score": "' + "\\" * n + '"}',
    "open brackets": lambda n: '{"score": ' + "[" * n + "}",
    "closing brackets": lambda n: '{"score": ' + "]" * n + "}",
    "nested lists": lambda n: '{"score": ' + "[" * (n // 2) + "]" * (n // 2) + "}",
    "open braces": lambda n: "{" * n,
    "closing braces": lambda n: '{"score": 4}' + "}" * n,
    "nested objects": lambda n: '{"score":' * (n // 10) + "4" + "}" * (n // 10),
    "empty objects": lambda n: "{}" * (n // 2),
    "broken objects": lambda n: '{"score"}' * (n // 9),
    "commas": lambda n: '{"score": [' + "," * n + "]}",
    "commas and spaces": lambda n: '{"score": [' + ", " * (n // 2) + "]}",
    "one comma and many spaces": lambda n: '{"score": 4,' + " " * n + "x}",
    "keys": lambda n: "{" + '"a":' * (n // 4) + "}",
    "one key many times": lambda n: "{" + '"a":1,' * (n // 6) + '"score": 4}',
    "many keys": lambda n: "{" + "".join(f'"{i:05}":1,' for i in range(n // 10)) + '"score": 4}',
    "line breaks": lambda n: "\n" * n + "{",
    "lines": lambda n: "Score: 4\n" * (n // 9),
    "colons": lambda n: ":" * n,
    "Chinese colons": lambda n: "：" * n,
    "spaces": lambda n: "Score:" + " " * n + "4",
    "stars": lambda n: "*" * n + "Score: 4",
    "stars in a value": lambda n: '{"score": "' + "*" * n + '4"}',
    "thinking closed": lambda n: "</think>" * (n // 8) + "{",
    "thinking opened": lambda n: "<think>" * (n // 7),
    "half a tag": lambda n: "</think" * (n // 7),
}


def seconds(reply: str, asked: Question) -> float:
    took = []
    for _ in range(3):
        start = time.process_time()
        asked.read(reply)
        took.append(time.process_time() - start)
    return min(took)


@pytest.mark.parametrize("question", ["alone", "pair", "lines_alone"])
@pytest.mark.parametrize("name", GENERATORS)
def test_time_is_linear_in_the_length(name: str, question: str) -> None:
    asked, replies = QUESTIONS[question], [GENERATORS[name](n) for n in (100_000, 200_000)]

    def linear() -> bool:
        short, long = (seconds(reply, asked) for reply in replies)
        assert long < 2
        return long <= 3 * short or long < 0.1  # below that, noise is all one sees

    assert any(linear() for _ in range(3)), "a busy machine can spoil one measurement, hardly three"
