"""The journal: nothing is asked twice, nothing that was answered is lost, and a broken file is a plain error."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from judgekit.errors import JournalError
from judgekit.judges import RubricJudge
from judgekit.models.base import Decoding, Model, Question, Readout, Reply, Request
from judgekit.models.fake import FakeModel
from judgekit.models.journal import Journal, JournaledModel
from judgekit.rubrics.rubric import Rubric
from judgekit.types import Sample, Usage

CACHED = Usage(cached=1)
WARM = Decoding(temperature=1.0)


def asked(*texts: str, draw: int = 0) -> list[Request]:
    return [Request([{"role": "user", "content": text}], text, draw) for text in texts]


def question(text: str = "q", lead: str = "Score: ", answers: tuple[str, ...] = ("1", "2")) -> Question:
    return Question([{"role": "user", "content": text}], text, lead, answers)


def complete(model: Model, *requests: Request, decoding: Decoding | None = None) -> list[Reply]:
    answers = dict(model.complete(requests, decoding or Decoding()))
    return [answers[i] for i in range(len(requests))]


def read_out(model: Model, *questions: Question) -> list[Readout]:
    answers = dict(model.read_out(questions))
    return [answers[i] for i in range(len(questions))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


OPENED: list[Journal] = []


def opened(path: Path) -> Journal:
    """Open a journal that is closed after the test."""
    OPENED.append(Journal(path))
    return OPENED[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


@dataclass
class Named(FakeModel):
    """A fake whose identity can be chosen."""

    name: str = "m"

    @property
    def identity(self) -> dict[str, Any]:
        return {"name": self.name}


def echo(request: Request) -> str:
    return f"{request.identity} {request.draw}"


# --- asked once ---------------------------------------------------------------------------------------------------


def test_a_second_run_makes_no_calls(path: Path) -> None:
    requests = asked("a", "b", "c")
    first = complete(JournaledModel(FakeModel(echo), opened(path)), *requests)
    model = FakeModel(echo)
    again = complete(JournaledModel(model, opened(path)), *requests)

    assert [reply.usage for reply in first] == [Usage(calls=1)] * 3
    assert again == [Reply(f"{text} 0", usage=CACHED) for text in "abc"]
    assert model.calls == 0


def test_a_second_run_reads_out_the_same_numbers(path: Path) -> None:
    questions = [question(text, answers=tuple("12345")) for text in "ab"]
    first = read_out(JournaledModel(FakeModel(""), opened(path)), *questions)
    model = FakeModel("")
    again = read_out(JournaledModel(model, opened(path)), *questions)

    assert [readout.probabilities for readout in again] == [readout.probabilities for readout in first]
    assert [readout.usage for readout in again] == [CACHED] * 2
    assert model.calls == 0


def test_only_the_new_questions_are_asked(path: Path) -> None:
    model = FakeModel(echo)
    journaled = JournaledModel(model, opened(path))
    complete(journaled, *asked("b"))
    replies = complete(journaled, *asked("a", "b", "c"))

    assert [reply.text for reply in replies] == ["a 0", "b 0", "c 0"]
    assert [reply.usage.cached for reply in replies] == [0, 1, 0]
    assert model.calls == 3


def test_identical_questions_in_a_batch_are_asked_once(path: Path) -> None:
    model = FakeModel(echo)
    replies = complete(JournaledModel(model, opened(path)), *asked("a", "b", "a", "a"))

    assert [reply.text for reply in replies] == ["a 0", "b 0", "a 0", "a 0"]
    assert sum((reply.usage for reply in replies), Usage()) == Usage(calls=2, cached=2)
    assert model.calls == 2


def test_identical_readouts_in_a_batch_are_asked_once(path: Path) -> None:
    model = FakeModel("")
    first, second = read_out(JournaledModel(model, opened(path)), question(), question())

    assert first.probabilities == second.probabilities
    assert model.calls == 1


def test_failed_calls_are_not_kept(path: Path) -> None:
    answers = iter([Reply(None, "HTTP 503", Usage(calls=1)), "fine"])
    model, journal = FakeModel(lambda request: next(answers)), opened(path)
    journaled = JournaledModel(model, journal)
    failed = complete(journaled, *asked("a", "a"))

    assert [reply.error for reply in failed] == ["HTTP 503"] * 2  # one call, and both came to nothing
    assert len(journal) == 0
    assert [reply.text for reply in complete(journaled, *asked("a"))] == ["fine"]
    assert len(journal) == 1


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        ({}, 1),
        ({"name": "other"}, 2),
        ({"text": "other"}, 2),
        ({"draw": 1}, 2),
        ({"decoding": WARM}, 2),
        ({"decoding": Decoding(seed=1)}, 2),
        ({"decoding": Decoding(max_tokens=9)}, 2),
    ],
)
def test_what_makes_a_written_reply_another_one(path: Path, change: dict[str, Any], calls: int) -> None:
    models = []
    for case in ({}, change):
        models.append(Named(echo, name=case.get("name", "m")))
        requests = asked(case.get("text", "q"), draw=case.get("draw", 0))
        complete(JournaledModel(models[-1], opened(path)), *requests, decoding=case.get("decoding"))

    assert sum(model.calls for model in models) == calls


@pytest.mark.parametrize(
    ("name", "changed", "calls"),
    [
        ("m", question(), 1),
        ("other", question(), 2),
        ("m", question("other"), 2),
        ("m", question(lead="Value: "), 2),
        ("m", question(answers=("1", "2", "3")), 2),
        ("m", question(answers=("2", "1")), 2),
    ],
)
def test_what_makes_a_readout_another_one(path: Path, name: str, changed: Question, calls: int) -> None:
    models = [Named("", name="m"), Named("", name=name)]
    for model, asking in zip(models, (question(), changed), strict=True):
        read_out(JournaledModel(model, opened(path)), asking)

    assert sum(model.calls for model in models) == calls


def test_a_written_reply_is_no_readout(path: Path) -> None:
    model = FakeModel("fine")
    journaled = JournaledModel(model, opened(path))
    complete(journaled, *asked("q"))

    assert read_out(journaled, question("q"))[0].probabilities
    assert model.calls == 2


# --- the fence's nonce --------------------------------------------------------------------------------------------


def judged(path: Path) -> tuple[str, int]:
    """Judge one sample with the journal; return what was shown to the model, if it was asked, and the calls."""
    shown: list[Request] = []

    def script(request: Request) -> str:
        shown.append(request)
        return "{}"

    journal = opened(path)
    judge = RubricJudge(Rubric.load("story/hanna"), JournaledModel(FakeModel(script), journal))
    judge.score([Sample("p", "r")])
    journal.close()
    return json.dumps([list(request.messages) for request in shown]), len(shown)


def test_the_nonce_differs_between_journals_and_the_key_does_not(tmp_path: Path) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    shown = judged(one)[0], judged(two)[0]
    keys = []
    for path in (one, two):
        with closing(sqlite3.connect(path)) as db:
            keys.append(db.execute("SELECT key FROM calls").fetchall())

    assert shown[0] != shown[1]
    assert keys[0] == keys[1] and len(keys[0]) == 1


def test_a_resumed_run_repeats_the_nonce(path: Path) -> None:
    first = judged(path)[0]
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM calls")  # as if the run had stopped before the answer
        db.commit()

    assert judged(path) == (first, 1)


def test_answers_are_found_after_the_secret_is_changed(path: Path) -> None:
    # A key is computed from the question with an empty nonce: who loses the secret loses no answers, and new
    # questions get new fences.
    judged(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE meta SET value = ? WHERE name = 'secret'", (b"another",))
        db.commit()

    assert opened(path).secret == b"another"
    assert judged(path)[1] == 0


def test_the_secret_is_not_shown(path: Path) -> None:
    journal = opened(path)

    assert len(journal.secret) == 32
    assert repr(journal.secret) not in repr(JournaledModel(FakeModel(""), journal))


# --- processes and threads ----------------------------------------------------------------------------------------

CHILD = """
import sys, time
from judgekit.models.base import Decoding, Request
from judgekit.models.fake import FakeModel
from judgekit.models.journal import Journal, JournaledModel

class Named(FakeModel):
    identity = {"name": "m"}

path, first, last, pause = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
texts = [str(i) for i in range(first, last)]
model = JournaledModel(Named(lambda request: time.sleep(pause) or "fine"), Journal(path))
sys.stdin.readline()
for index, _ in model.complete([Request([], text) for text in texts], Decoding()):
    print(texts[index], flush=True)
"""


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def start(*children: subprocess.Popen[str], line: str = "") -> None:
    for process in children:
        assert process.stdin
        process.stdin.write(f"{line}\n")
        process.stdin.flush()


def test_kill_9_loses_no_finished_call(path: Path) -> None:
    with child(CHILD, path, 0, 1000, 0.002) as process:
        start(process)
        assert process.stdout
        finished = [process.stdout.readline() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        finished += process.stdout.readlines()
    model = Named("fine")
    before = len(opened(path))
    replies = complete(JournaledModel(model, opened(path)), *asked(*map(str, range(1000))))

    assert process.returncode == -signal.SIGKILL
    assert 20 <= len(finished) <= before < 1000
    assert all(replies[int(text)].usage == CACHED for text in finished)
    assert model.calls == 1000 - before


def test_two_processes_share_a_journal(path: Path) -> None:
    with child(CHILD, path, 0, 200, 0.001) as one, child(CHILD, path, 100, 300, 0.001) as two:
        start(one, two)
        assert one.stdout and two.stdout
        got = one.stdout.readlines(), two.stdout.readlines()

    assert (one.returncode, two.returncode) == (0, 0)
    assert [len(lines) for lines in got] == [200, 200]
    assert len(opened(path)) == 300


def test_a_journal_that_another_process_is_just_making_is_waited_for(path: Path) -> None:
    # Where a file turns to WAL, sqlite does not wait for the other's lock, whatever its timeout is.
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, other.execute, ["COMMIT"])
        release.start()
        try:
            journal = opened(path)
        finally:
            release.join()

    assert len(journal) == 0


OPENER = """
import sys
from judgekit.models.journal import Journal

for path in sys.stdin:
    try:
        print(Journal(path.strip()).secret.hex(), flush=True)
    except Exception as problem:
        print(problem, flush=True)
"""


def test_processes_that_open_a_new_journal_at_once_agree_on_its_secret(tmp_path: Path) -> None:
    with ExitStack() as stack:
        openers = [stack.enter_context(child(OPENER)) for _ in range(4)]
        rounds = []
        for i in range(40):
            start(*openers, line=str(tmp_path / f"{i}.db"))
            rounds.append({opener.stdout.readline().strip() for opener in openers if opener.stdout})
        for opener in openers:
            opener.communicate()

    assert [secrets for secrets in rounds if len(secrets) != 1] == []
    assert all(len(bytes.fromhex(secret)) == 32 for (secret,) in rounds)


def test_a_judge_works_in_another_thread(path: Path) -> None:
    # As a server does: the judge is loaded at the start and asked in a worker.
    model = JournaledModel(FakeModel(echo), opened(path))
    with ThreadPoolExecutor(1) as worker:
        replies = worker.submit(complete, model, *asked("a", "b")).result()

    assert [reply.text for reply in replies] == ["a 0", "b 0"]


def test_threads_share_a_journal(path: Path) -> None:
    journal = opened(path)
    model = JournaledModel(FakeModel(echo), journal)
    batches = [[f"{first + i}" for i in range(100)] for first in (0, 50, 100, 150)]
    with ThreadPoolExecutor(len(batches)) as workers:
        got = list(workers.map(lambda texts: complete(model, *asked(*texts)), batches))

    assert [[reply.text for reply in replies] for replies in got] == [[f"{t} 0" for t in texts] for texts in batches]
    assert len(journal) == 250


# --- broken files -------------------------------------------------------------------------------------------------


def stranger(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def text_file(path: Path) -> None:
    path.write_text("id,score\n1,2\n" * 200)


def cut_journal(path: Path) -> None:
    whole = path.with_name("whole.db")
    filled(whole)
    path.write_bytes(whole.read_bytes()[:5000])


def filled(path: Path) -> None:
    with closing(opened(path)) as journal:
        for i in range(300):
            journal.put(f"{i:064}", {"text": "x" * 100})


BROKEN: dict[str, Callable[[Path], Any]] = {
    "text": text_file,
    "folder": Path.mkdir,
    "cut off": cut_journal,
    "missing folder": lambda path: path.parent.rmdir(),
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    path = tmp_path / "inside" / "calls.db"
    path.parent.mkdir()
    make(path)

    with pytest.raises(JournalError, match=r"calls\.db: .*is it a journal"):
        opened(path)


def test_a_file_that_cannot_be_used_is_let_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[sqlite3.Connection] = []
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connections.append(connect(*a, **k)) or connections[-1])
    text_file(path)

    with pytest.raises(JournalError):
        Journal(path)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[0].execute("SELECT 1")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    folder = tmp_path if os.geteuid() else Path("/proc")  # root can write everywhere but there

    with pytest.raises(JournalError, match="folder that can be written"):
        Journal(folder / "calls.db")


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE people (name TEXT)", "INSERT INTO people VALUES ('Ada')"],
        ["CREATE TABLE calls (caller TEXT, called TEXT)"],
        ["CREATE TABLE meta (name TEXT, value TEXT)", "INSERT INTO meta VALUES ('secret', 'a text')"],
    ],
    ids=["people", "other calls", "other meta"],
)
def test_a_database_of_somebody_else_is_left_alone(path: Path, statements: Sequence[str]) -> None:
    stranger(path, *statements)
    before = path.read_bytes()

    with pytest.raises(JournalError, match=r"calls\.db"):
        opened(path)
    assert path.read_bytes() == before


def test_a_journal_broken_inside_is_an_error_of_ours(path: Path) -> None:
    filled(path)
    broken = bytearray(path.read_bytes())
    broken[3 * 4096 :] = bytes(len(broken) - 3 * 4096)
    path.write_bytes(broken)

    with pytest.raises(JournalError, match="malformed"):
        [opened(path).get(f"{i:064}") for i in range(300)]


@pytest.mark.parametrize("answer", ["{", "[1]", "{}", '"text"'])
def test_an_answer_that_cannot_be_read_is_an_error_of_ours(path: Path, answer: str) -> None:
    complete(JournaledModel(FakeModel("fine"), opened(path)), *asked("q"))
    stranger(path, f"UPDATE calls SET answer = '{answer}'")

    with pytest.raises(JournalError, match=r"calls\.db"):
        complete(JournaledModel(FakeModel("fine"), opened(path)), *asked("q"))


def test_a_closed_journal_says_so(path: Path) -> None:
    journal = opened(path)
    journal.close()

    with pytest.raises(JournalError, match="closed"):
        journal.get("key")


# --- values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "naïve 中文 \x00 \u2028 \\ud800", "half \ud83d a smile", "x" * 1_000_000])
def test_every_text_comes_back_as_it_was(path: Path, text: str) -> None:
    model = FakeModel(text)
    journaled = JournaledModel(model, opened(path))
    replies = [complete(journaled, *asked(text))[0] for _ in range(2)]

    assert [reply.text for reply in replies] == [text, text]
    assert model.calls == 1


def test_answers_are_plain_json(path: Path) -> None:
    model = JournaledModel(FakeModel(lambda request: Reply("fine", usage=Usage(1, 0, 7, 3))), opened(path))
    complete(model, *asked("q"))
    read_out(model, question())
    with closing(sqlite3.connect(path)) as db:
        kinds = db.execute("SELECT typeof(key), typeof(answer), typeof(at) FROM calls").fetchall()
        kept = [json.loads(row[0]) for row in db.execute("SELECT answer FROM calls ORDER BY length(answer)")]

    assert kinds == [("text", "text", "text")] * 2
    assert {"text", "probabilities"} == {key for answer in kept for key in answer} - {"error", "usage"}
    assert {"calls": 1, "cached": 0, "input_tokens": 7, "output_tokens": 3} in [answer["usage"] for answer in kept]
    assert b"pickle" not in path.read_bytes()


def test_a_journal_can_be_read_while_it_is_written(path: Path) -> None:
    # WAL: a report over a running journal neither waits nor stops it.
    journal = opened(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM calls").fetchone()
        began = time.perf_counter()
        journal.put("key", {"text": "x"})

    assert time.perf_counter() - began < 5
    assert journal.get("key") == {"text": "x"}
