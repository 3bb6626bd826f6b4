"""Every call to a model, kept: cache, resume and record in one sqlite file (WAL, JSON values, no pickle)."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from judgekit.errors import JournalError
from judgekit.models.base import Decoding, Model, Question, Readout, Reply, Request
from judgekit.types import Usage

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, answer TEXT NOT NULL, "
    "at TEXT NOT NULL DEFAULT current_timestamp) WITHOUT ROWID",
)
MARK = 0x4A4B3031  # "JK01", sqlite's application_id of a journal
WAIT = 60.0
A = TypeVar("A", Reply, Readout)


class Journal:
    """Answers by key, in one file that survives ``kill -9``. Failed calls are not kept: a second run asks them again.

    Raises:
        JournalError: the file cannot be opened or is no journal.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            # One connection for all threads: sqlite serializes them by itself.
            self._db = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise
        except (sqlite3.Error, JournalError) as problem:
            raise JournalError(f"{path}: {problem}; is it a journal in a folder that can be written?") from None

    def __reduce__(self) -> tuple[Any, ...]:
        return Journal, (self.path.absolute(),)  # in another process it is opened anew

    def _prepare(self) -> None:
        self._refuse_a_strangers_file()
        self._turn_to_wal()
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("BEGIN IMMEDIATE")
        for statement in (*SCHEMA, f"PRAGMA application_id={MARK}"):
            self._db.execute(statement)
        self._db.execute("INSERT OR IGNORE INTO meta VALUES ('secret', ?)", (secrets.token_bytes(32),))
        self._db.execute("COMMIT")
        self.secret: bytes = self._db.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()[0]

    def _refuse_a_strangers_file(self) -> None:
        self._db.execute("BEGIN")  # both answers must be of one moment: another process may be preparing the file
        (mark,) = self._db.execute("PRAGMA application_id").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self._db.execute("COMMIT")
        if mark != MARK and tables:
            raise JournalError("it is somebody else's database")

    def _turn_to_wal(self) -> None:
        deadline = time.monotonic() + WAIT
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as problem:  # sqlite does not wait for this lock by itself
                if "locked" not in str(problem) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the answer kept under ``key``, if there is one."""
        row = self._execute("SELECT answer FROM calls WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        try:
            answer = json.loads(row[0])
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise JournalError(f"{self.path}: the answer {key} cannot be read")
        return answer

    def put(self, key: str, answer: dict[str, Any]) -> None:
        """Keep an answer."""
        self._execute("INSERT OR REPLACE INTO calls (key, answer) VALUES (?, ?)", (key, json.dumps(answer)))

    def __len__(self) -> int:
        return int(self._execute("SELECT count(*) FROM calls").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as problem:
            raise JournalError(f"{self.path}: {problem}") from None


@dataclass
class JournaledModel(Model):
    """A model whose answers are kept: a question that the journal knows is not asked again.

    Identical questions in one batch are asked once, too.
    """

    model: Model
    journal: Journal

    def __post_init__(self) -> None:
        self.secret = self.journal.secret

    @property
    def identity(self) -> dict[str, Any]:
        return self.model.identity

    @property
    def settings(self) -> dict[str, Any]:
        return self.model.settings

    def complete(self, requests: Sequence[Request], decoding: Decoding) -> Iterator[tuple[int, Reply]]:
        how = {"model": self.identity, "decoding": decoding.model_dump()}
        keys = [_key(how, request.identity, request.draw) for request in requests]
        return self._answer(requests, keys, lambda missing: self.model.complete(missing, decoding), _reply)

    def read_out(self, questions: Sequence[Question]) -> Iterator[tuple[int, Readout]]:
        how = {"model": self.identity}
        keys = [_key(how, question.identity, question.lead, question.answers) for question in questions]
        return self._answer(questions, keys, self.model.read_out, _readout)

    def _answer(
        self,
        asked: Sequence[Any],
        keys: list[str],
        ask: Callable[[list[Any]], Iterable[tuple[int, A]]],
        restore: Callable[[dict[str, Any]], A],
    ) -> Iterator[tuple[int, A]]:
        missing: dict[str, list[int]] = {}
        for index, key in enumerate(keys):
            if (kept := self.journal.get(key)) is not None:
                try:
                    answer = restore(kept)
                except (KeyError, TypeError):
                    raise JournalError(f"{self.journal.path}: the answer {key} cannot be read") from None
                yield index, answer
            else:
                missing.setdefault(key, []).append(index)
        groups = list(missing.items())
        for position, answer in ask([asked[indices[0]] for _, indices in groups]):
            key, indices = groups[position]
            if answer.error is None:
                self.journal.put(key, asdict(answer))
            yield indices[0], answer
            for index in indices[1:]:
                yield index, replace(answer, usage=Usage(cached=1))


def _key(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _reply(kept: dict[str, Any]) -> Reply:
    return Reply(kept["text"], usage=Usage(cached=1))


def _readout(kept: dict[str, Any]) -> Readout:
    return Readout(tuple(kept["probabilities"]), usage=Usage(cached=1))
