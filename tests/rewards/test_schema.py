"""The part of JSON Schema that is known, checked against cases from its specification."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from judgekit import InputError
from judgekit.rewards.schema import checked_schema, fits


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "object"}, [{}], [[], "", None, 1]),
        ({"type": "integer"}, [1, 1.0, -3, 10**400], [1.5, True, "1"]),
        ({"type": "number"}, [1, 1.5], [True, "1", None]),
        ({"type": ["string", "null"]}, ["", None], [0, []]),
        ({"type": "boolean"}, [True], [0, 1, None]),
        ({"enum": ["a", 1]}, ["a", 1], ["b", True, None]),
        ({"const": 0}, [0, 0.0], [False, ""]),
        ({"required": ["a"]}, [{"a": None}, "no object"], [{}, {"b": 1}]),
        ({"properties": {"a": {"type": "string"}}}, [{}, {"a": ""}, {"b": 1}, 3], [{"a": 1}]),
        ({"properties": {"a": {}}, "additionalProperties": False}, [{}, {"a": 1}], [{"b": 1}]),
        ({"additionalProperties": {"type": "integer"}}, [{}, {"b": 1}], [{"b": "1"}]),
        ({"additionalProperties": True}, [{"b": 1}], []),
        ({"items": {"type": "integer"}}, [[], [1, 2], "text"], [[1, "2"]]),
        ({"items": False}, [[]], [[1]]),
        ({"minItems": 1, "maxItems": 2}, [[1], [1, 2], "text"], [[], [1, 2, 3]]),
        ({"minLength": 1, "maxLength": 2}, ["a", "𠮷𠮷", []], ["", "abc"]),
        ({"minimum": 0, "maximum": 1}, [0, 0.5, 1, "text"], [-1, 1.1]),
        ({"anyOf": [{"type": "string"}, {"minimum": 2}]}, ["", 2, None], [1]),
        ({"title": "Anything", "description": "at all"}, [1, None], []),
    ],
)
def test_what_fits(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    checked_schema(schema)

    assert [value for value in good if not fits(value, schema)] == []
    assert [value for value in bad if fits(value, schema)] == []


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"pattern": "a+"}, "keyword 'pattern' is not known"),
        ({"propertes": {}}, "did you mean 'properties'"),
        ({"properties": {"a": {"format": "date"}}}, "'format' is not known"),
        ({"anyOf": [{"$ref": "#/x"}]}, "'\\$ref' is not known"),
        ({"items": {"oneOf": []}}, "'oneOf' is not known"),
        ({"additionalProperties": {"not": {}}}, "'not' is not known"),
        ({"type": "text"}, "no type 'text'"),
        ("string", "a pydantic model or a JSON schema as a dict"),
        (int, "a pydantic model or a JSON schema as a dict"),
    ],
)
def test_a_schema_that_cannot_be_checked_in_full_is_refused(schema: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        checked_schema(schema)


class Point(BaseModel):
    x: int
    name: str = ""


def test_a_pydantic_model_is_strict() -> None:
    assert fits({"x": 1}, checked_schema(Point))
    assert not fits({"x": "1"}, Point) and not fits({"x": 1, "name": 2}, Point) and not fits({}, Point)


@pytest.mark.parametrize(
    "schema",
    [
        {"required": "name"},
        {"minLength": "3"},
        {"maxItems": -1},
        {"properties": ["a"]},
        {"enum": 3},
        {"type": 3},
        {"minimum": "0"},
        {"properties": {"a": {"anyOf": {}}}},
    ],
)
def test_a_keyword_that_says_something_else_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="takes"):
        checked_schema(schema)
