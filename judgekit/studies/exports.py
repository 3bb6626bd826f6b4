"""What other programs export, as rows of a wide table: one for each item and rater, a column for each question.

Every row has ``item``, ``rater``, ``rater_kind`` (human or judge) and, by the name of its question, each score that was
given. What is known of an item stands under dotted names (``data.prompt_id``), so that it can be a study's ``group`` or
``system`` and is never taken for a score.

- ``label_studio``: "JSON" of Label Studio 1.x (not "JSON-MIN"). Questions are the ``from_name`` of Rating, Number,
  Choices and Pairwise tags; annotations are human, predictions a judge called by its ``model_version``; ``data.*``. A
  cancelled annotation is a row without scores.
- ``argilla``: ``dataset.records.to_json(...)`` of Argilla 2.x. Responses are human, suggestions a judge called by its
  ``agent``; ``metadata.*`` and ``fields.*``. The export does not tell drafts from submitted responses: filter before.
- ``inspect``: a log of Inspect (inspect_ai 0.3, version 2) as JSON; ``inspect log convert --to json`` makes one of an
  ``.eval`` file. Each scorer is a judge; a score of several values has a column for each, one of a single value the
  column ``value``; ``repeat`` is the epoch, ``model`` and ``task`` are those of the log; ``metadata.*``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from judgekit.errors import InputError

Row = dict[str, Any]
OWN = ("item", "rater", "rater_kind", "repeat", "model", "task")
ANSWERS = {"rating": "rating", "number": "number", "choices": "choices", "pairwise": "selected"}
MAX_BYTES = 1 << 30


def read_export(form: Literal["label_studio", "argilla", "inspect"], path: Path) -> Iterator[tuple[int, Row]]:
    """Yield ``(number, row)``: the number is that of the task, the record or the sample. A missing score has no key.

    Raises:
        InputError: no such file, not JSON, or not of this form; names the file, and the number where there is one.
    """
    entries, rows = FORMS[form]
    for number, entry in enumerate(entries(path, _json(path)), 1):
        try:
            for known, scores in rows(entry):
                yield number, known | _scores(scores)
        except (AttributeError, KeyError, TypeError) as problem:
            what = f"it has no {problem}" if isinstance(problem, KeyError) else str(problem)
            raise InputError.at(path, number, f"not as {form} exports it: {what}") from None
        except InputError as problem:
            raise InputError.at(path, number, str(problem)) from None


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES:,} bytes; export it in parts")
        return json.loads(path.read_bytes())
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply") from None
    except ValueError as problem:
        raise InputError(f"{path}: not JSON: {problem}") from None


def _scores(scores: Mapping[str, Any]) -> Row:
    """Return the scores that were given; a list of one answer is that answer."""
    if clash := set(scores) & set(OWN):
        raise InputError(f"a question is called {min(clash)!r}, which is a column of the export itself; rename it")
    one = {name: given[0] if isinstance(given, list) and len(given) == 1 else given for name, given in scores.items()}
    return {name: value for name, value in one.items() if value is not None and value == value}  # noqa: PLR0124


def _known(**parts: Mapping[str, Any] | None) -> Row:
    """Return what is known of an item under dotted names."""
    return {f"{part}.{name}": value for part, named in parts.items() for name, value in (named or {}).items()}


def _list(path: Path, data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise InputError(f"{path}: must be a JSON list")
    return data


# --- Label Studio -------------------------------------------------------------------------------------------------


def _task(task: Mapping[str, Any]) -> Iterator[tuple[Row, Row]]:
    item = {"item": task["id"], **_known(data=task["data"])}
    for one in task.get("annotations") or []:
        who = one["completed_by"]
        rater = who["id"] if isinstance(who, dict) else who
        yield {**item, "rater": rater, "rater_kind": "human"}, {} if one.get("was_cancelled") else _answers(one)
    for one in task.get("predictions") or []:
        yield {**item, "rater": one["model_version"], "rater_kind": "judge"}, _answers(one)


def _answers(annotation: Mapping[str, Any]) -> Row:
    found: Row = {}
    for result in annotation["result"]:
        if key := ANSWERS.get(result["type"]):
            name = result["from_name"]
            if name in found:
                raise InputError(f"{name!r} is answered twice; one answer for each item is read, not one for each part")
            found[name] = result["value"][key]
    return found


# --- Argilla ------------------------------------------------------------------------------------------------------


def _record(record: Mapping[str, Any]) -> Iterator[tuple[Row, Row]]:
    item = {"item": record["id"], **_known(fields=record["fields"], metadata=record.get("metadata"))}
    people: dict[str, Row] = {}
    for question, responses in record["responses"].items():
        for response in responses:
            people.setdefault(response["user_id"], {})[question] = response["value"]
    agents: dict[str, Row] = {}
    for question, suggestion in record["suggestions"].items():
        agents.setdefault(suggestion.get("agent") or "suggestion", {})[question] = suggestion["value"]
    for kind, raters in (("human", people), ("judge", agents)):
        for rater, scores in raters.items():
            yield {**item, "rater": rater, "rater_kind": kind}, scores


# --- Inspect ------------------------------------------------------------------------------------------------------


def _samples(path: Path, log: Any) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    """Yield each sample, beside what the log says of all."""
    if not isinstance(log, dict) or not isinstance(log.get("eval"), dict):
        raise InputError(f"{path}: must be the JSON log of an evaluation, with 'eval' and 'samples'")
    if not log.get("samples"):
        raise InputError(f"{path}: the log has no samples; is it the header alone?")
    for sample in log["samples"]:
        yield {"model": log["eval"].get("model"), "task": log["eval"].get("task")}, sample


def _sample(entry: tuple[Row, Mapping[str, Any]]) -> Iterator[tuple[Row, Row]]:
    of_all, sample = entry
    item = {**of_all, "item": sample["id"], "repeat": sample["epoch"], **_known(metadata=sample.get("metadata"))}
    for scorer, score in (sample.get("scores") or {}).items():
        value = score["value"]
        yield {**item, "rater": scorer, "rater_kind": "judge"}, value if isinstance(value, dict) else {"value": value}


Entries = Callable[[Path, Any], Any]
Rows = Callable[[Any], Iterator[tuple[Row, Row]]]
FORMS: dict[str, tuple[Entries, Rows]] = {
    "label_studio": (_list, _task),
    "argilla": (_list, _record),
    "inspect": (_samples, _sample),
}
