"""YAML files as frozen values: one file, one class, errors with the line and the nearest known name.

The YAML is plain data. Tags, anchors, merge keys and doubled keys are refused, and ``yes`` and ``no`` stay words
(YAML 1.2), since rubrics are full of them. What a program writes and reads again is JSON, held to the same classes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from judgekit.errors import ConfigError, nearest
from judgekit.strict_json import no_constant, once

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
Path_ = tuple[str | int, ...]
C = TypeVar("C")
B = TypeVar("B", bound=BaseModel)


class Config(BaseModel):
    """Base of everything that is read from YAML: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {field.alias or name for name, field in cls.model_fields.items()}
            for key in data:
                if key not in known:
                    raise unknown("key", str(key), known, key)
        return data


def problem(message: str, *at: str | int) -> PydanticCustomError:
    """Build a validation error that `load` reports at the line of the key ``at``, seen from the validated value."""
    return PydanticCustomError("problem", "{message}", {"message": message, "at": at})


def unknown(what: str, name: str, known: Iterable[str], *at: str | int) -> PydanticCustomError:
    """Build the validation error for a name that nothing carries."""
    return problem(f"unknown {what} {name!r}{nearest(name, known)}", *at)


def load(path: str | Path, kind: type[C], error: type[ConfigError] = ConfigError, **context: Any) -> C:
    """Read one YAML file as a ``kind``; ``context`` reaches its validators.

    Raises:
        ConfigError: (or the subclass given) missing file, broken YAML, unknown key, wrong type or value; the message
            is ``file:line: problem``, one line for each problem.
    """
    data, lines = read_yaml(path, error)
    return _validated(path, data, lines, kind, error, context)


def load_json(path: str | Path, kind: type[C], error: type[ConfigError] = ConfigError) -> C:
    """Read one JSON file as a ``kind``; the place of a fault is named by its keys, not by its line.

    Raises:
        ConfigError: (or the subclass given) missing file, broken JSON, a key that stands twice, an unknown key, wrong
            type or value; the message is ``file: place: problem``, one line for each problem.
    """
    text = _text(path, error)
    try:
        data = json.loads(text, object_pairs_hook=once, parse_constant=no_constant)
    except RecursionError:
        raise error(f"{path}: nested too deep") from None
    except ValueError as fault:
        raise error(f"{path}: not JSON: {fault}") from None
    return _validated(path, data, dict.fromkeys(_places((), data), 0), kind, error, {})


def _places(place: Path_, value: Any) -> Iterator[Path_]:
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from _places((*place, key), item)


def _validated(
    path: str | Path,
    data: Any,
    lines: dict[Path_, int],
    kind: type[C],
    error: type[ConfigError],
    context: Mapping[str, Any],
) -> C:
    try:
        return TypeAdapter(kind).validate_python(data, context={"path": Path(path), **context})
    except ValidationError as refused:
        faults = refused.errors()
        # A list that lost its broken items is then called too short: that is noise beside the real fault.
        told = [fault for fault in faults if fault["type"] != "too_short"] or faults
        raise error("\n".join(_explain(path, fault, lines) for fault in told)) from None


def beside(folder: Path, name: str) -> str:
    """Return a path beside the file that names it if there is one, else the name as it stands (a hub id, say)."""
    return str(folder / name) if (folder / name).exists() else name


def beside_all(folder: Path, config: B, *names: str) -> B:
    """Return a configuration whose paths of these names are taken as `beside` does."""
    given = {name: value for name in names if (value := getattr(config, name, None))}
    return config.model_copy(update={name: beside(folder, value) for name, value in given.items()})


def read_yaml(path: str | Path, error: type[ConfigError] = ConfigError) -> tuple[Any, dict[Path_, int]]:
    """Return the data of one YAML file and the line of each key in it."""
    return _Reader(path, error).read(_text(path, error))


def _text(path: str | Path, error: type[ConfigError]) -> str:
    try:
        raw = Path(path).read_bytes()
    except OSError as fault:
        raise error(f"{path}: {fault.strerror or fault}") from None
    if len(raw) > MAX_BYTES:
        raise error(f"{path}: {len(raw)} bytes; a configuration has at most {MAX_BYTES}")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise error(f"{path}: not UTF-8 at byte {fault.start}") from None


def _explain(path: str | Path, error: Any, lines: dict[Path_, int]) -> str:
    at = (error.get("ctx") or {}).get("at", ())
    where = _deepest((), (*error["loc"], *at), lines)
    message = _message(error)
    place = ".".join(str(part) for part in (where[: -len(at)] if at and where[-len(at) :] == at else where))
    line = f":{lines[where]}" if lines[where] else ""
    return f"{path}{line}: {f'{place}: ' if place else ''}{message.removeprefix('Value error, ')}"


PLAIN = {
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping (name: value)",
    "model_type": "must be a mapping (name: value)",
    "model_attributes_type": "must be a mapping (name: value)",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
}


def _message(error: Any) -> str:
    """Say what is wrong in the words of the file, not of the validator."""
    context = error.get("ctx") or {}
    if error["type"] == "missing":
        return f"{error['loc'][-1]!r} is missing"
    if error["type"] == "union_tag_not_found":
        return f"{context['discriminator']} is missing"
    if error["type"] == "union_tag_invalid":
        known = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
        return f"unknown {context['discriminator']} {context['tag']!r}{nearest(context['tag'], known)}"
    return PLAIN.get(error["type"]) or str(error["msg"])


def _deepest(where: Path_, rest: Path_, lines: dict[Path_, int]) -> Path_:
    """Return the deepest place that a location means; pydantic names the branch of a union as if it stood there."""
    if not rest:
        return where
    skipped = _deepest(where, rest[1:], lines)
    if (*where, rest[0]) not in lines:
        return skipped
    return max(skipped, _deepest((*where, rest[0]), rest[1:], lines), key=len)


class _Reader:
    """Turns YAML text into plain data and remembers where everything stood."""

    def __init__(self, path: str | Path, error: type[ConfigError]) -> None:
        self.path, self.error, self.lines = path, error, dict[Path_, int]()

    def read(self, text: str) -> tuple[Any, dict[Path_, int]]:
        try:
            self.check_events(text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            self.refuse(mark.line if mark else 0, f"not YAML: {fault.problem or fault.context}")
        except yaml.YAMLError as fault:
            self.refuse(0, f"not YAML: {fault}")
        if root is None:
            self.refuse(0, "the file is empty")
        return self.value(root, ()), self.lines

    def check_events(self, text: str) -> None:
        """Refuse what plain data has no need of, before anything is built from it."""
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line if event.start_mark else 0
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                self.refuse(line, f"nested more than {MAX_DEPTH} deep")
            if getattr(event, "anchor", None) is not None:
                self.refuse(line, "YAML anchors and aliases are not accepted")
            if (tag := getattr(event, "tag", None)) is not None:
                self.refuse(line, f"YAML tags are not accepted ({tag})")

    def refuse(self, line: int, reason: str) -> NoReturn:
        raise self.error(f"{self.path}:{line + 1}: {reason}")

    def value(self, node: yaml.Node, place: Path_) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, i)) for i, item in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, place: Path_) -> dict[Any, Any]:
        data: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, (str, int, float)) or isinstance(key, bool):
                self.refuse(key_node.start_mark.line, "a key must be a word or a number")
            if key in data:
                self.refuse(key_node.start_mark.line, f"the key {key!r} stands twice")
            self.lines[(*place, key)] = key_node.start_mark.line + 1  # type: ignore[arg-type]
            data[key] = self.value(value_node, (*place, key))  # type: ignore[arg-type]
        return data

    def scalar(self, node: yaml.Node) -> Any:
        kind, text = node.tag.rpartition(":")[2], node.value
        if kind == "bool":
            return {"true": True, "false": False}.get(text.lower(), text)
        if kind == "null":
            return None
        if kind in {"int", "float"}:
            return self.number(node, text)
        return text

    def number(self, node: yaml.Node, text: str) -> int | float:
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            self.refuse(node.start_mark.line, f"{text!r} is not a plain decimal number; quote it if it is a text")
