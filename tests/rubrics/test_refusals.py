"""Malformed rubrics are refused with the file, the line and the nearest known name.

In the examples ``#!`` marks the line that the message must name; inside a criterion or a gate its first line will do.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from judgekit.errors import RubricError
from judgekit.rubrics.rubric import Rubric

GOOD = """\
id: test/good
title: Good
mode: pointwise
aggregation: sum
weights:
  plot: 2
criteria:
  - id: plot
    title: Plot
    description: What happens.
    range: [0, 5]
    step: 0.5
    anchors:
      0: Nothing.
      5: Everything.
  - id: ending
    title: Ending
    anchors:
      "no": None.
      "yes": One.
  - id: bonus
    title: Bonus
    polarity: bonus
    range: [0, 8]
gates:
  - criterion: bonus
    cap: 0
    when: negative > 0.5 * positive
"""
PROMPT = """\
=== system ===
You judge. The mark is {{nonce}}.
{{criteria}}
=== material ===
<<< task {{nonce}}
{{prompt}}
>>> {{nonce}}
<<< response {{nonce}}
{{response}}
>>> {{nonce}}
=== ask ===
{{format}}
=== ask one ===
{{criterion}}
{{format}}
"""
PAIR = "id: t\ntitle: T\nmode: pairwise\ncriteria:\n  - {id: plot, title: Plot}\n"


def refusal(tmp_path: Path, rubric: str | bytes, prompt: str | bytes | None = None, file: str = "bad.yaml") -> str:
    """Return the message with which the rubric is refused, without the folder; it names ``file``."""
    path = tmp_path / "bad.yaml"
    path.write_bytes(rubric.encode() if isinstance(rubric, str) else rubric)
    if prompt is not None:
        (tmp_path / "bad.prompt.txt").write_bytes(prompt.encode() if isinstance(prompt, str) else prompt)
    with pytest.raises(RubricError) as caught:
        Rubric.load(path)
    message = str(caught.value)
    assert str(tmp_path / file) in message
    return message.replace(str(tmp_path), "")


def edited(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} must stand once"
    return text.replace(old, new)


def lines_named(message: str) -> list[int]:
    return [int(n) for n in re.findall(r"(?:\.yaml|\.txt):(\d+):", message)]


def marked_lines(text: str) -> set[int]:
    """Return the lines with a mark, and the first line of the list item that each stands in."""
    lines = text.splitlines()
    marked = {i for i, line in enumerate(lines, 1) if "#!" in line}
    inside = {i for i in marked if lines[i - 1].startswith("    ")}
    return marked | {max(j for j in range(1, i) if lines[j - 1].startswith("  - ")) for i in inside}


def test_the_good_one_loads(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD + "prompt: good.prompt.txt\n", encoding="utf-8")
    (tmp_path / "good.prompt.txt").write_text(PROMPT, encoding="utf-8")
    rubric = Rubric.load(path)
    assert rubric.scale == (0, 5 * 2 + 1 + 8)
    assert rubric.template.ask == "{{format}}"


RUBRICS = {
    # names that nothing carries
    "unknown key": ("weights:\n", "wieghts: #!\n", "'wieghts'; did you mean 'weights'?"),
    "unknown key, singular": ("weights:\n", "wieght: #!\n", "'wieght'; did you mean 'weights'?"),
    "unknown key in a criterion": ("    step: 0.5", "    stepp: 0.5 #!", "'stepp'; did you mean 'step'?"),
    "unknown key in a gate": ("    cap: 0", "    capp: 0 #!", "'capp'; did you mean 'cap'?"),
    "weight of no criterion": ("  plot: 2", "  plto: 2 #!", "'plto'; did you mean 'plot'?"),
    "gate of no criterion": ("criterion: bonus", "criterion: bonsu #!", "'bonsu'; did you mean 'bonus'?"),
    "unknown mode": ("mode: pointwise", "mode: pointwize #!", "pointwise"),
    "unknown polarity": ("polarity: bonus", "polarity: bnous #!", "bonus"),
    "unknown strip": ("aggregation: sum", "aggregation: sum\nstrip: [thinkng] #!", "thinking"),
    "unknown language": ("mode: pointwise", "mode: pointwise\nlanguage: fr #!", "'en' or 'zh'"),
    # anchors and menus
    "empty anchors": ('    anchors:\n      "no": None.\n      "yes": One.', "    anchors: {} #!", "at least two"),
    "anchors left blank": ('    anchors:\n      "no": None.\n      "yes": One.', "    anchors: #!", "anchors"),
    "one anchor": ('      "yes": One.\n', "", "at least two"),
    "anchor without text": ("5: Everything.", '5: "  " #!', "anchor has no text"),
    "anchor off the menu": ("5: Everything.", "6: Everything. #!", "anchor 6"),
    "anchor between the steps": ("5: Everything.", "4.7: Everything. #!", "anchor 4.7"),
    "word anchor on a range": ("5: Everything.", "five: Everything. #!", "five"),
    "words and numbers": ('      "no": None.', "      0: None. #!", "all numbers or all words"),
    "no menu at all": ('    anchors:\n      "no": None.\n      "yes": One.\n', "", "needs a range or anchors"),
    "range reversed": ("range: [0, 5]", "range: [5, 0] #!", "lowest < highest"),
    "range of one value": ("range: [0, 5]", "range: [5, 5] #!", "lowest < highest"),
    "range of three": ("range: [0, 5]", "range: [0, 3, 5] #!", "range"),
    "range of words": ("range: [0, 5]", "range: [low, high] #!", "range"),
    "infinite range": ("range: [0, 5]", "range: [0, .inf] #!", ".inf"),
    "menu without end": ("range: [0, 8]", "range: [0, 2000000] #!", "menu"),
    "numbers as words": ('      "no": None.\n      "yes": One.', '      "1": None. #!\n      "2": One. #!', "'1'"),
    "step off the end": ("step: 0.5", "step: 0.7 #!", "step 0.7"),
    "step zero": ("step: 0.5", "step: 0 #!", "step"),
    "step negative": ("step: 0.5", "step: -1 #!", "step"),
    # ids and weights
    "duplicate ids": ("  - id: ending", "  - id: plot #!", "'plot'"),
    "id with a space": ("  - id: ending", "  - id: the ending #!", "id"),
    "NaN weight": ("  plot: 2", "  plot: .nan #!", ".nan"),
    "NaN weight as a word": ("  plot: 2", "  plot: NaN #!", "finite"),
    "weight zero": ("  plot: 2", "  plot: 0 #!", "greater than 0"),
    "weight in words": ("  plot: 2", "  plot: heavy #!", "number"),
    "NaN cap": ("    cap: 0", "    cap: .nan #!", ".nan"),
    "cap below the menu": ("    cap: 0", "    cap: -3 #!", "cap"),
    "unreadable gate": ("when: negative > 0.5 * positive", "when: positive < 3 #!", "does not read like"),
    "code as a gate": ("when: negative > 0.5 * positive", "when: __import__('os') #!", "does not read like"),
    "gates of a mean": ("aggregation: sum", "aggregation: mean #!", "aggregation: sum"),
    # YAML
    "tag": ("  plot: 2", "  plot: !!python/object/apply:os.system ['true'] #!", "tags are not accepted"),
    "innocent tag": ("  plot: 2", "  plot: !!float 2 #!", "tags are not accepted"),
    "anchor": ("range: [0, 8]", "range: &r [0, 8] #!", "anchors and aliases are not accepted"),
    "alias": ("range: [0, 8]", "range: *r #!", "anchors and aliases are not accepted"),
    "merge key": ("range: [0, 8]", "<<: {range: [0, 8]} #!", "'<<'"),
    "doubled key": ("    polarity: bonus", "    polarity: bonus\n    title: Again #!", "'title' stands twice"),
    "doubled anchor": ("5: Everything.", "0: Everything. #!", "stands twice"),
    "not YAML": ("title: Good", "title: Good: Better #!", "not YAML"),
    "two documents": ("criteria:\n", "--- #!\ncriteria:\n", "not YAML"),
    "a list as a key": ("title: Good", "title: Good\n? [a, b] #!\n: c", "a key must be"),
}


@pytest.mark.parametrize(("old", "new", "says"), RUBRICS.values(), ids=RUBRICS)
def test_a_malformed_rubric_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = edited(GOOD, old, new)
    message = refusal(tmp_path, text)
    assert says in message
    assert lines_named(message), "the message names no line"
    if wanted := marked_lines(text):
        assert wanted & set(lines_named(message)), f"should name one of the lines {sorted(wanted)}: {message}"


def test_an_anchor_may_stand_on_any_decimal_step(tmp_path: Path) -> None:
    path = tmp_path / "tenths.yaml"
    text = GOOD.replace("range: [0, 5]\n    step: 0.5", "range: [0, 1]\n    step: 0.1").replace(
        "5: Everything", "0.3: A third"
    )
    path.write_text(text, encoding="utf-8")  # 3 * 0.1 is 0.30000000000000004
    menu = Rubric.load(path).criteria[0].menu
    assert list(menu.values()) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]


@pytest.mark.parametrize("missing", ["id", "title", "criteria"])
def test_a_missing_key_is_named(tmp_path: Path, missing: str) -> None:
    text = re.sub(rf"^{missing}:.*\n(?:[ ].*\n)*", "", GOOD, flags=re.MULTILINE)
    message = refusal(tmp_path, text)
    assert re.search(rf"\b{missing}\b", message) and lines_named(message)


def test_a_missing_key_of_a_criterion_is_named(tmp_path: Path) -> None:
    message = refusal(tmp_path, edited(GOOD, "    title: Ending\n", ""))
    assert re.search(r"\btitle\b", message)
    assert lines_named(message) == [GOOD.splitlines().index("  - id: ending") + 1]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b"# nothing\n", "empty"),
        (b"just words\n", ""),
        (b"- a\n- b\n", ""),
        (b"id: caf\xe9\n", "not UTF-8"),
        (b"\xff\xfei\x00d\x00", "not UTF-8"),
        (b"id: a\x00b\n", ""),
        (b"x" * 1_000_001, "1000001 bytes"),
        (b"[" * 500, "nested"),
        (b"id: t\ntitle: T\ncriteria: []\n", "criteria"),
    ],
    ids=["empty", "comment", "scalar", "list", "latin-1", "utf-16", "NUL", "huge", "deep", "no criteria"],
)
def test_a_file_that_is_no_rubric_is_refused(tmp_path: Path, raw: bytes, says: str) -> None:
    assert says in refusal(tmp_path, raw)


def test_deep_nesting_is_refused_at_once(tmp_path: Path) -> None:
    began = time.perf_counter()
    refusal(tmp_path, b"[" * 3000)  # 5 s and more if the whole of it is scanned: the time grows with the square
    assert time.perf_counter() - began < 2


def test_a_tag_runs_nothing(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    text = edited(GOOD, "  plot: 2", f"  plot: !!python/object/apply:os.system ['touch {trap}']")
    refusal(tmp_path, text)
    assert not trap.exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.yaml: no such file"):
        Rubric.load(tmp_path / "none.yaml")


def test_an_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'story/hanna'"):
        Rubric.load("story/hana")


def test_a_file_is_an_error_of_one_kind_wherever_it_lies(tmp_path: Path) -> None:
    for missing in (tmp_path / "none.yaml", "story/hana"):
        with pytest.raises(RubricError):
            Rubric.load(missing)


# --- prompts ----------------------------------------------------------------------------------------------------

PROMPTS = {
    "unknown slot": ("{{response}}", "{{repsonse}}", "{{repsonse}}", "'repsonse'; did you mean 'response'?"),
    "slot of the other mode": ("{{response}}", "{{a}}", "{{a}}", "unknown slot 'a'"),
    "spaces in a slot": ("{{response}}", "{{ response }}", "{{ response }}", "slot"),
    "capital in a slot": ("{{response}}", "{{Response}}", "{{Response}}", "slot"),
    "slot that never ends": ("{{response}}", "{{response}", "{{response}", "slot"),
    "outside the fence, before": ("=== material ===\n", "=== material ===\n{{prompt}}!\n", "{{prompt}}!", "outside"),
    "outside the fence, in system": ("You judge.", "On {{response}}.", "On {{", "outside"),
    "outside the fence, in ask": ("=== ask ===\n", "=== ask ===\nOn {{metadata.topic}}\n", "On {{", "outside"),
    "fence without a nonce": ("<<< response {{nonce}}\n", "<<< response\n", "{{response}}", "outside"),
    "text on the fence line": ("<<< response {{nonce}}\n{{res", "<<< {{nonce}} {{res", "{{response}}", "outside"),
    "unclosed fence": ("{{response}}\n>>> {{nonce}}\n", "{{response}}\n", "<<< response", "never closed"),
    "unknown section": ("=== material ===", "=== materials ===", "=== materials ===", "did you mean 'material'?"),
    "doubled section": ("=== ask one ===", "=== ask ===", None, "stands twice"),
    "text before the first": ("=== system ===\n", "Hello\n=== system ===\n", "Hello", "before the first section"),
    "no ask": ("=== ask ===\n{{format}}\n", "", None, "'=== ask ===' is missing"),
    "empty ask": ("=== ask ===\n{{format}}\n", "=== ask ===\n\n", None, "'=== ask ===' is missing"),
    "empty system": ("You judge. The mark is {{nonce}}.\n{{criteria}}\n", "", None, "'=== system ===' is missing"),
    "response not shown": ("<<< response {{nonce}}\n{{response}}\n>>> {{nonce}}\n", "", None, "response"),
    "no form of the reply": ("=== ask ===\n{{format}}\n", "=== ask ===\nJudge.\n", None, "format"),
    "no criteria": ("{{criteria}}\n", "", None, "criteria"),
    "ask one without its criterion": ("{{criterion}}\n", "", None, "criterion"),
}


@pytest.mark.parametrize(("old", "new", "at", "says"), PROMPTS.values(), ids=PROMPTS)
def test_a_malformed_prompt_is_refused(tmp_path: Path, old: str, new: str, at: str | None, says: str) -> None:
    prompt = edited(PROMPT, old, new)
    message = refusal(tmp_path, GOOD + "prompt: bad.prompt.txt\n", prompt, "bad.prompt.txt")
    assert says in message
    assert lines_named(message), "the message names no line"
    if at is not None:
        [line] = [i for i, text in enumerate(prompt.splitlines(), 1) if at in text]
        assert lines_named(message) == [line]


def test_a_pairwise_prompt_must_show_both(tmp_path: Path) -> None:
    prompt = PROMPT.replace("{{response}}", "{{a}}").split("=== ask one")[0]
    message = refusal(tmp_path, PAIR + "prompt: bad.prompt.txt\n", prompt, "bad.prompt.txt")
    assert "'b'" in message or "{{b}}" in message


@pytest.mark.parametrize("prompt", ["../bad.prompt.txt", "sub/bad.prompt.txt", "/etc/passwd", "..", "."])
def test_a_prompt_elsewhere_is_refused(tmp_path: Path, prompt: str) -> None:
    (tmp_path / "sub").mkdir()
    for place in (tmp_path.parent, tmp_path / "sub"):
        (place / "bad.prompt.txt").write_text(PROMPT, encoding="utf-8")
    message = refusal(tmp_path, f"{GOOD}prompt: {prompt}\n")
    assert "same folder" in message
    assert lines_named(message) == [GOOD.count("\n") + 1]


def test_a_prompt_that_is_missing_is_named(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path, GOOD + "prompt: bad.prompt.txt\n", file="bad.prompt.txt")


def test_a_prompt_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, GOOD + "prompt: bad.prompt.txt\n", PROMPT.encode() + b"caf\xe9", "bad.prompt.txt")
    assert "utf-8" in message.lower()


def test_a_pairwise_rubric_knows_its_scale(tmp_path: Path) -> None:
    path = tmp_path / "pair.yaml"
    path.write_text(PAIR, encoding="utf-8")
    assert Rubric.load(path).scale == (1, 10)
