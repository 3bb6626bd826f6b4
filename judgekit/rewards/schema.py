"""Whether a value is of a form: a pydantic model, or the part of JSON Schema that answers are described with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from judgekit.errors import InputError, nearest

Schema = Mapping[str, Any] | type[BaseModel]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _number,
    "integer": lambda value: _number(value) and value == value // 1,
}


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _count(value: Any) -> bool:
    return TYPES["integer"](value) and value >= 0


# What a keyword takes, and in words: a schema that says something else would pass what it forbids, or fail in a run.
LIST, COUNT, NUMBER = (lambda v: isinstance(v, list), "a list"), (_count, "a count"), (_number, "a number")
FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "type": (lambda v: isinstance(v, str) or _names(v), "a name or a list of names"),
    "required": (_names, "a list of names"),
    "properties": (lambda v: isinstance(v, Mapping), "a schema for each name"),
    "enum": LIST,
    "anyOf": LIST,
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength"), COUNT),
    **dict.fromkeys(("minimum", "maximum"), NUMBER),
}
REMARKS = frozenset({"$schema", "$id", "title", "description", "default", "examples"})


def fits(value: Any, schema: Schema) -> bool:
    """Return whether a JSON value satisfies a schema, which `checked_schema` has seen.

    A pydantic model is asked in its strict JSON mode: a number is no text, and a text no number.
    """
    if isinstance(schema, type):
        try:
            schema.model_validate_json(json.dumps(value), strict=True)
        except ValidationError:
            return False
        return True
    return all(CHECKS[key](value, wanted, schema) for key, wanted in schema.items() if key in CHECKS)


def checked_schema(schema: Any) -> Any:
    """Return a schema that can be checked in full.

    Raises:
        InputError: neither a pydantic model nor a JSON schema, or a keyword of JSON Schema that is not known here: to
            pass over it would reward what it forbids.
    """
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema
    if not isinstance(schema, Mapping):
        raise InputError(f"a schema is a pydantic model or a JSON schema as a dict, not {schema!r:.60}")
    for key in schema:
        if key not in CHECKS and key not in REMARKS:
            raise InputError(f"the JSON schema keyword {key!r} is not known here{nearest(str(key), CHECKS)}")
        if key in FORMS and not FORMS[key][0](schema[key]):
            raise InputError(f"the JSON schema keyword {key!r} takes {FORMS[key][1]}, not {schema[key]!r:.60}")
    for kind in _kinds(schema.get("type", [])):
        if kind not in TYPES:
            raise InputError(f"a JSON schema has no type {kind!r}{nearest(str(kind), TYPES)}")
    for inner in _inner(schema):
        checked_schema(inner)
    return schema


def _inner(schema: Mapping[str, Any]) -> list[Any]:
    single = [schema[key] for key in ("items", "additionalProperties") if not isinstance(schema.get(key, True), bool)]
    return [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *single]


def _kinds(wanted: Any) -> list[Any]:
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _items(value: Any, wanted: Any, _: Mapping[str, Any]) -> bool:
    if not isinstance(value, list) or isinstance(wanted, bool):
        return wanted is not False or not value
    return all(fits(item, wanted) for item in value)


def _properties(value: Any, wanted: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    return not isinstance(value, dict) or all(fits(value[key], inner) for key, inner in wanted.items() if key in value)


def _additional(value: Any, wanted: Any, schema: Mapping[str, Any]) -> bool:
    more = [value[key] for key in value if key not in schema.get("properties", {})] if isinstance(value, dict) else []
    return not more if wanted is False else wanted is True or all(fits(item, wanted) for item in more)


# What a keyword wants holds for values of its own type only, as JSON Schema says; "type" says which type there is.
CHECKS: dict[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "type": lambda value, wanted, _: any(TYPES[kind](value) for kind in _kinds(wanted)),
    "enum": lambda value, wanted, _: any(_same(value, one) for one in wanted),
    "const": lambda value, wanted, _: _same(value, wanted),
    "anyOf": lambda value, wanted, _: any(fits(value, one) for one in wanted),
    "properties": _properties,
    "required": lambda value, wanted, _: not isinstance(value, dict) or all(key in value for key in wanted),
    "additionalProperties": _additional,
    "items": _items,
    "minItems": lambda value, wanted, _: not isinstance(value, list) or len(value) >= wanted,
    "maxItems": lambda value, wanted, _: not isinstance(value, list) or len(value) <= wanted,
    "minLength": lambda value, wanted, _: not isinstance(value, str) or len(value) >= wanted,
    "maxLength": lambda value, wanted, _: not isinstance(value, str) or len(value) <= wanted,
    "minimum": lambda value, wanted, _: not _number(value) or value >= wanted,
    "maximum": lambda value, wanted, _: not _number(value) or value <= wanted,
}
