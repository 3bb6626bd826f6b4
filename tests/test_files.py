"""Data files: what is read, what is refused and where, and results that survive kills and full disks."""

from __future__ import annotations

import errno
import json
import sqlite3
import tempfile
import weakref
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from judgekit.errors import InputError
from judgekit.files import (
    Results,
    check,
    comparison_of,
    pair_of,
    pair_row,
    preference_row,
    read,
    read_rows,
    reading,
    sample_of,
    score_row,
)
from judgekit.types import Comparison, Pair, Preference, Sample, Score

Write = Callable[..., Path]
SAMPLE = {"prompt": "Write about a lighthouse.", "response": "The lamp went out."}
COMPARISON = {"prompt": "Write about a lighthouse.", "a": "The lamp went out.", "b": "Dawn came."}
DEEP = 200_000


def sample(**changes: Any) -> dict[str, Any]:
    return {**SAMPLE, **changes}


def line(**changes: Any) -> str:
    return json.dumps(sample(**changes))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines (or the bytes of a whole file) into ``data.jsonl``."""

    def to_file(*lines: str | bytes, end: str = "\n") -> Path:
        raw = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in lines]
        path = tmp_path / "data.jsonl"
        path.write_bytes(b"".join(part + end.encode() for part in raw))
        return path

    return to_file


def refusal(path: Path, build: Callable[..., Any] = sample_of) -> list[str]:
    """Return the problems of a file, without the folder in front."""
    with pytest.raises(InputError) as caught:
        check(path, build)
    return str(caught.value).replace(f"{path.parent}/", "").split("\n")


# --- rows -> values -----------------------------------------------------------------------------------------------


def test_a_full_row_becomes_a_sample():
    row = sample(id="x", reference="Better.", metadata={"history": ["one"]})

    assert sample_of(row, 3) == Sample(**row)


def test_a_row_without_an_id_is_named_after_its_line():
    assert sample_of(SAMPLE, 7).id == "line-7"
    assert sample_of(sample(id=""), 7).id == "line-7"


@pytest.mark.parametrize(("given", "kept"), [(7, "7"), (0, "0"), (-1, "-1"), ("7", "7"), (10**30, str(10**30))])
def test_ids_are_texts_or_whole_numbers(given: object, kept: str):
    assert sample_of(sample(id=given), 1).id == kept


def test_a_prompt_may_be_a_chat():
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "A story, please."}]

    assert sample_of(sample(prompt=chat), 1).prompt == chat


def test_unknown_keys_are_the_callers_own():
    assert sample_of(sample(topic="sea"), 1) == sample_of(SAMPLE, 1)


def test_line_separators_inside_a_text_do_not_end_the_line(write: Write):
    story = "one\u2028two\x85three\r\nfour"
    path = write(json.dumps(sample(response=story), ensure_ascii=False))

    assert [s.response for s in read(path, sample_of)] == [story]


def test_a_row_becomes_a_comparison():
    assert comparison_of({**COMPARISON, "id": 1}, 1) == Comparison(**COMPARISON, id="1")


@pytest.mark.parametrize("label", ["a", "b", "tie", None])
def test_a_pair_survives_its_row(label: Any):
    pair = Pair(Comparison(**COMPARISON, id="p", metadata={"k": 1}), label, "group 1")

    assert pair_of(json.loads(json.dumps(pair_row(pair))), 1) == pair


BAD_SAMPLES = {
    "typo": ({"prompt": "p", "respones": "r"}, "'response' is missing; did you mean 'respones'?"),
    "missing": ({"prompt": "p", "text": "r"}, "'response' is missing; the row has: prompt, text"),
    "nothing": ({}, "'prompt' is missing"),
    "prompt null": (sample(prompt=None), "prompt must be a text, not null"),
    "prompt number": (sample(prompt=5), "prompt must be a text, not the number 5"),
    "prompt empty": (sample(prompt=""), "prompt is empty"),
    "prompt []": (sample(prompt=[]), "prompt is an empty list"),
    "turn text": (sample(prompt=["hello"]), "each turn of a prompt must be"),
    "turn lacks content": (sample(prompt=[{"role": "user"}]), "each turn of a prompt must be"),
    "turn with more": (sample(prompt=[{"role": "user", "content": "x", "n": 1}]), "each turn of a prompt must be"),
    "turn of parts": (sample(prompt=[{"role": "user", "content": ["x"]}]), "content must be a text, not a list"),
    "turn empty": (sample(prompt=[{"role": "user", "content": " "}]), "content is empty"),
    "turn NUL": (sample(prompt=[{"role": "user", "content": "a\0"}]), "content holds a NUL character"),
    "response list": (sample(response=["r"]), "response must be a text, not a list"),
    "response object": (sample(response={}), "response must be a text, not an object"),
    "response true": (sample(response=True), "response must be a text, not true or false"),
    "response empty": (sample(response=""), "response is empty"),
    "response blank": (sample(response=" \n\t\u00a0"), "response is empty"),
    "response NUL": (sample(response="a\0b"), "response holds a NUL character"),
    "response surrogate": (sample(response="ab\ud800"), "response holds a lone surrogate at character 2"),
    "response 10 MB": (sample(response="x" * 10_000_000), "response has 10,000,000 characters; the limit is 2,000,000"),
    "reference number": (sample(reference=1), "reference must be a text, not the number 1"),
    "reference surrogate": (sample(reference="\udfff"), "reference holds a lone surrogate"),
    "id null": (sample(id=None), "id must be a text or a whole number, not null"),
    "id float": (sample(id=1.5), "id must be a text or a whole number, not the number 1.5"),
    "id true": (sample(id=True), "id must be a text or a whole number, not true or false"),
    "id list": (sample(id=[1]), "id must be a text or a whole number, not a list"),
    "id NUL": (sample(id="a\0"), "id holds a NUL character"),
    "id surrogate": (sample(id="\ud800"), "id holds a lone surrogate"),
    "metadata text": (sample(metadata="x"), "metadata must be an object, not a text"),
    "metadata list": (sample(metadata=[1]), "metadata must be an object, not a list"),
    # The falsy ones are of the wrong type all the same.
    "metadata []": (sample(metadata=[]), "metadata must be an object, not a list"),
    "metadata ''": (sample(metadata=""), "metadata must be an object, not a text"),
    "metadata false": (sample(metadata=False), "metadata must be an object, not true or false"),
    "metadata 0": (sample(metadata=0), "metadata must be an object, not the number 0"),
    # A prompt may show metadata, so it must be as sound as the texts.
    "metadata surrogate": (sample(metadata={"history": "\ud800"}), "metadata holds a lone surrogate"),
    "metadata NUL": (sample(metadata={"history": "a\0b"}), "metadata holds a NUL character"),
    "metadata NUL key": (sample(metadata={"a\0b": 1}), "metadata holds a NUL character"),
}


@pytest.mark.parametrize(("row", "problem"), BAD_SAMPLES.values(), ids=BAD_SAMPLES)
def test_bad_samples_are_refused(row: dict[str, Any], problem: str):
    with pytest.raises(InputError) as caught:
        sample_of(row, 1)

    assert problem in str(caught.value)


BAD_PAIRS = {
    "a missing": ({"prompt": "p", "b": "y", "label": "b"}, "'a' is missing"),
    "a empty": ({**COMPARISON, "a": " "}, "a is empty"),
    "b number": ({**COMPARISON, "b": 1}, "b must be a text, not the number 1"),
    "label upper": ({**COMPARISON, "label": "A"}, "label is 'A'; it must be 'a', 'b', 'tie' or null"),
    "label true": ({**COMPARISON, "label": True}, "label is True"),
    "label list": ({**COMPARISON, "label": []}, "label is []"),
    "group number": ({**COMPARISON, "group": 1}, "group must be a text, not the number 1"),
}


@pytest.mark.parametrize(("row", "problem"), BAD_PAIRS.values(), ids=BAD_PAIRS)
def test_bad_pairs_are_refused(row: dict[str, Any], problem: str):
    with pytest.raises(InputError) as caught:
        pair_of(row, 1)

    assert problem in str(caught.value)


# --- reading ------------------------------------------------------------------------------------------------------

BAD_LINES = {
    "broken": (b'{"prompt": "p", ', "not JSON"),
    "prose": (b"nope", "not JSON"),
    "two objects": (line().encode() * 2, "not JSON"),
    "NaN": (line(metadata={"x": float("nan")}).encode(), "NaN is not a JSON number"),
    "-Infinity": (line(metadata={"x": -float("inf")}).encode(), "-Infinity is not a JSON number"),
    "list": (b"[1, 2]", "must be a JSON object, not a list"),
    "text": (b'"x"', "must be a JSON object, not a text"),
    "null": (b"null", "must be a JSON object, not null"),
    "number": (b"3", "must be a JSON object, not the number 3"),
    "latin-1": ('{"prompt": "p", "response": "é"}'.encode("latin-1"), "not UTF-8 at byte 29 of the line"),
    "UTF-16": (line().encode("utf-16"), "not UTF-8 at byte 0 of the line"),
    "NUL bytes": (b"\0" * 40, "not JSON"),
    "deep list": (b"[" * DEEP, "nested too deeply"),
    "deep closed": (b'{"metadata": ' + b"[" * DEEP + b"]" * DEEP + b"}", "nested too deeply"),
    "deep object": (b'{"a": ' * DEEP, "nested too deeply"),
    "huge number": (b'{"id": ' + b"9" * 10_000 + b"}", "not JSON"),
}


@pytest.mark.parametrize(("raw", "problem"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_line_that_is_no_object_is_refused_where_it_stands(write: Write, raw: bytes, problem: str):
    path = write(line(), raw, line())

    [told] = refusal(path)

    assert told.startswith("data.jsonl:2: ") and problem in told
    with pytest.raises(InputError, match=r"data\.jsonl:2: "):
        list(read(path, sample_of))


def test_reading_names_the_file_and_the_line(write: Write):
    path = write(line(), "", line(response=""))

    with pytest.raises(InputError) as caught:
        list(read(path, sample_of))

    assert str(caught.value) == f"{path}:3: response is empty"


@pytest.mark.parametrize("depth", [*range(100, 1200, 50), 3000, 50_000])
def test_nesting_is_accepted_or_refused_but_never_a_crash(write: Write, depth: int):
    """What the JSON reader can still read, the checks behind it must cope with as well."""
    path = write('{"prompt": "p", "response": "r", "metadata": {"x": ' + "[" * depth + "]" * depth + "}}")
    problems: list[str] = []
    try:
        check(path, sample_of)
    except InputError as problem:
        problems.append(str(problem))

    told = ("nested too deeply", "metadata is nested more than 50 deep")
    assert problems in ([], *([f"{path}:1: {words}"] for words in told))


def test_a_byte_order_mark_is_named(write: Write):
    [told] = refusal(write(b"\xef\xbb\xbf" + line().encode()))

    assert told.startswith("data.jsonl:1: not JSON") and "BOM" in told


def test_blank_lines_and_windows_line_ends_are_fine(write: Write):
    path = write(line(), "", "   ", line(), end="\r\n")

    assert check(path, sample_of) == 2
    assert [s.id for s in read(path, sample_of)] == ["line-1", "line-4"]


def test_the_last_line_needs_no_newline(write: Write):
    path = write(line() + "\n" + line(), end="")

    assert check(path, sample_of) == 2


@pytest.mark.parametrize("content", ["", "\n\n  \n"])
def test_a_file_without_rows_is_refused(write: Write, content: str):
    assert refusal(write(content, end="")) == ["data.jsonl: the file has no rows"]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path):
    assert refusal(tmp_path / "none.jsonl") == ["none.jsonl: No such file or directory"]
    assert refusal(tmp_path)[0].endswith(": Is a directory")


@pytest.mark.parametrize("length", [1000, 2500, 10_000])
def test_an_endless_line_is_one_problem_and_the_lines_after_it_keep_their_numbers(
    write: Write, monkeypatch: pytest.MonkeyPatch, length: int
):
    monkeypatch.setattr(reading, "MAX_LINE", 1000)
    path = write(line(response="x" * length), line(), line(response=""))

    assert [told.split(": ")[0] for told in refusal(path)] == ["data.jsonl:1", "data.jsonl:3"]


def test_doubled_ids_are_reported_with_both_lines(write: Write):
    path = write(line(id="x"), line(id=1), line(id="x"), line(id="1"))

    assert refusal(path) == [
        "data.jsonl:3: the id 'x' stands at line 1 already",
        "data.jsonl:4: the id '1' stands at line 2 already",
    ]


def test_an_id_may_not_take_the_name_of_a_nameless_line(write: Write):
    assert refusal(write(line(id="line-2"), line())) == ["data.jsonl:2: the id 'line-2' stands at line 1 already"]


def test_all_problems_come_at_once_in_the_order_of_their_lines(write: Write):
    path = write("nope", line(), line(response=""), "[]", line(id="line-2"))

    assert [told.split(": ")[0] for told in refusal(path)] == [f"data.jsonl:{n}" for n in (1, 3, 4, 5)]


@pytest.mark.parametrize("bad", ["nope", '{"prompt": "p"}'], ids=["broken lines", "bad rows"])
def test_after_twenty_problems_it_says_that_there_may_be_more(write: Write, bad: str):
    told = refusal(write(*[bad] * 50))

    assert told[0].startswith("data.jsonl:1: ") and told[0].endswith(" (and 19 more rows)")
    assert told[1:] == ["... (there may be more)"]


def test_a_full_disk_while_checking_is_an_error_of_ours(write: Write, monkeypatch: pytest.MonkeyPatch):
    """The ids of a long file go to a temporary file, which can fill the disk as well."""
    connect = sqlite3.connect

    def small(name: str, **settings: Any) -> sqlite3.Connection:
        db = connect(name, **settings)
        db.execute("PRAGMA max_page_count=4")
        return db

    monkeypatch.setattr(reading.sqlite3, "connect", small)
    path = write(*(line(id=f"a rather long id {n}") for n in range(2000)))

    assert "full" in refusal(path)[0]


def test_checking_keeps_no_rows(write: Write):
    """Values are built one by one: the one before last is gone when the next is made."""

    class Built:
        def __init__(self, number: int) -> None:
            self.id = str(number)

    alive: weakref.WeakSet[Built] = weakref.WeakSet()

    def build(_: object, number: int) -> Built:
        assert len(alive) <= 1
        alive.add(built := Built(number))
        return built

    assert check(write(*[line()] * 50), build) == 50


# --- writing ------------------------------------------------------------------------------------------------------

SAMPLES = [Sample("p", f"Story {n}", f"id {n} é 故事 \n") for n in range(9)]
JUDGE = "0123456789abcdef"


def verdict(item: Sample) -> dict[str, Any]:
    """Return a row that depends on the sample alone, with characters of one to four bytes."""
    return score_row(item, Score(len(item.id) % 2 * 1.0, rationale=f'"{item.response}" é 故事 🌊\n', judge=JUDGE))


def judge_all(path: Path, items: list[Sample], batch: int = 4) -> int:
    """Do what ``judgekit score`` does; return how many were judged now."""
    judged = 0
    with Results(path, JUDGE) as results:
        todo: Iterator[Sample] = results.remaining(items)
        while part := list(islice(todo, batch)):
            results.write(verdict(item) for item in part)
            judged += len(part)
        assert results.done == len(items)
    return judged


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("finished") / "scores.jsonl"
    judge_all(path, SAMPLES)
    return path.read_bytes()


def test_results_come_in_the_order_of_the_input(tmp_path: Path):
    path = tmp_path / "scores.jsonl"

    assert judge_all(path, SAMPLES) == len(SAMPLES)
    assert [row["id"] for _, row in read_rows(path)] == [s.id for s in SAMPLES]


def test_a_finished_file_is_left_as_it_is(tmp_path: Path, finished: bytes):
    path = tmp_path / "scores.jsonl"
    path.write_bytes(finished)

    assert judge_all(path, SAMPLES) == 0
    assert path.read_bytes() == finished


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, 3000), batch=st.integers(1, 10))
@example(cut=0, batch=1)
@example(cut=1, batch=3)
def test_cut_anywhere_and_resumed_the_file_is_the_same(finished: bytes, cut: int, batch: int):
    cut = min(cut, len(finished))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.jsonl"
        path.write_bytes(finished[:cut])
        judged = judge_all(path, SAMPLES, batch)

        assert path.read_bytes() == finished
        assert judged == len(SAMPLES) - finished[:cut].count(b"\n")  # whole rows are not judged again


def test_a_half_line_longer_than_the_block_it_is_sought_in_is_cut(tmp_path: Path, finished: bytes):
    path = tmp_path / "scores.jsonl"
    first = finished.index(b"\n") + 1
    path.write_bytes(finished[:first] + b'{"id": "' + b"x" * 200_000)

    judge_all(path, SAMPLES)

    assert path.read_bytes() == finished


def test_an_input_that_has_grown_is_gone_on_with(tmp_path: Path, finished: bytes):
    path = tmp_path / "scores.jsonl"
    judge_all(path, SAMPLES[:5])

    assert judge_all(path, SAMPLES) == 4
    assert path.read_bytes() == finished


def edited(finished: bytes, number: int, **changes: Any) -> bytes:
    rows = [json.loads(raw) for raw in finished.splitlines()]
    rows[number].update(changes)
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"judge": "another"}, ":3: was written by another judge"),
        ({"judge": None}, ":3: was written by another judge"),
        ({"id": "other"}, ":3: has the id 'other'; the input has 'id 2"),
    ],
)
def test_a_file_of_another_run_is_refused_and_kept(
    tmp_path: Path, finished: bytes, changes: dict[str, Any], problem: str
):
    path = tmp_path / "scores.jsonl"
    path.write_bytes(theirs := edited(finished, 2, **changes))

    with pytest.raises(InputError) as caught:
        judge_all(path, SAMPLES)

    assert problem in str(caught.value) and "write to another file" in str(caught.value)
    assert path.read_bytes() == theirs


def test_results_of_a_longer_input_are_refused(tmp_path: Path, finished: bytes):
    path = tmp_path / "scores.jsonl"
    path.write_bytes(finished)

    with pytest.raises(InputError, match="ended"):
        judge_all(path, SAMPLES[:4])
    assert path.read_bytes() == finished


def test_a_broken_row_in_the_middle_is_refused_with_its_line(tmp_path: Path, finished: bytes):
    path = tmp_path / "scores.jsonl"
    rows = finished.splitlines(keepends=True)
    path.write_bytes(broken := b"".join([rows[0], b"\0\0\0\n", *rows[1:]]))

    with pytest.raises(InputError, match=r"scores\.jsonl:2: not JSON"):
        judge_all(path, SAMPLES)
    assert path.read_bytes() == broken


@pytest.mark.parametrize(
    "theirs",
    [
        b"notes without a newline",
        b"first line\nsecond line, no newline",
        line().encode(),
        b'{"id": "id 0", "judge": "another"}\n{"id": "id 1", "judge": "another"}',
        b"\x89PNG\r\n\x1a\n\0\0\0",
    ],
    ids=["one line", "two lines", "samples", "another judge's", "binary"],
)
def test_a_file_that_is_not_ours_is_refused_before_anything_is_cut(tmp_path: Path, theirs: bytes):
    path = tmp_path / "notes.txt"
    path.write_bytes(theirs)

    with pytest.raises(InputError):
        judge_all(path, SAMPLES)
    assert path.read_bytes() == theirs


def test_a_file_has_one_writer_at_a_time(tmp_path: Path):
    path = tmp_path / "scores.jsonl"
    with Results(path, JUDGE), pytest.raises(InputError), Results(path, JUDGE) as second:
        list(second.remaining(SAMPLES))


@pytest.mark.parametrize("name", ["none/scores.jsonl", "."])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str):
    with pytest.raises(InputError, match=r"No such file or directory|Is a directory"):
        Results(tmp_path / name, JUDGE).__enter__()


class FullDisk:
    """A stream that writes as the operating system may: in parts, until there is no more room."""

    def __init__(self, stream: Any, room: int, part: int = 100) -> None:
        self.stream, self.room, self.part = stream, room, part

    def write(self, data: memoryview) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        size = min(self.part, self.room, len(data))
        self.room -= size
        return int(self.stream.write(data[:size]))

    def close(self) -> None:
        self.stream.close()


def test_a_write_in_parts_is_written_whole(tmp_path: Path, finished: bytes):
    path = tmp_path / "scores.jsonl"
    with Results(path, JUDGE) as results:
        results._stream = FullDisk(results._stream, room=10**9, part=7)  # type: ignore[assignment]
        results.write(map(verdict, results.remaining(SAMPLES)))

    assert path.read_bytes() == finished


def write_one_by_one(results: Results) -> None:
    for item in results.remaining(SAMPLES):
        results.write([verdict(item)])


@pytest.mark.parametrize("room", [0, 1, 500, 1000])
def test_a_full_disk_keeps_what_is_written_and_the_run_can_go_on(tmp_path: Path, finished: bytes, room: int):
    path = tmp_path / "scores.jsonl"
    with Results(path, JUDGE) as results:
        results._stream = FullDisk(results._stream, room)  # type: ignore[assignment]
        with pytest.raises(InputError, match=r"scores\.jsonl: No space left on device; what was written is kept"):
            write_one_by_one(results)

    assert path.read_bytes() == finished[:room]
    assert results.done == finished[:room].count(b"\n")
    judge_all(path, SAMPLES)
    assert path.read_bytes() == finished


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_the_real_full_disk(tmp_path: Path):
    with Results(tmp_path / "scores.jsonl", JUDGE) as results:
        results._stream.close()
        results._stream = open("/dev/full", "ab", buffering=0)  # noqa: SIM115 - closed by the results
        with pytest.raises(InputError, match="No space left on device"):
            results.write([verdict(SAMPLES[0])])


# What a model or its server wrote can hold anything; the file must hold it or something like it.
@pytest.mark.parametrize(
    "row",
    [
        score_row(SAMPLES[0], Score(1.0, rationale="a \ud800 b", judge=JUDGE)),
        score_row(SAMPLES[0], Score(None, error="server said \ud800", judge=JUDGE)),
        preference_row(Comparison("p", "a", "b"), Preference("a", rationale="a \ud800 b", judge=JUDGE)),
        preference_row(Comparison("p", "a", "b"), Preference(None, error="server said \ud800", judge=JUDGE)),
    ],
    ids=["score rationale", "score error", "preference rationale", "preference error"],
)
def test_a_lone_surrogate_from_a_model_does_not_stop_the_run(tmp_path: Path, row: dict[str, Any]):
    path = tmp_path / "scores.jsonl"
    with Results(path, JUDGE) as results:
        results.write([row])

    assert len(list(read_rows(path))) == 1


def test_a_number_that_is_none_is_never_written(tmp_path: Path):
    path = tmp_path / "scores.jsonl"
    with Results(path, JUDGE) as results, pytest.raises(ValueError, match=r"(?i)nan|JSON"):
        results.write([{**verdict(SAMPLES[0]), "spread": float("nan")}])

    assert path.read_bytes() == b""
