"""Rows of JSONL held to their forms: no unknown key, no value of another type."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from judgekit.errors import InputError, nearest
from judgekit.files.rows import Row

F = TypeVar("F", bound="Form")


class Form(BaseModel):
    """Base of a row's form."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def held_to(form: type[F], row: Row, place: str = "") -> F:
    """Return a row as its form.

    Raises:
        InputError: what is wrong first, and where.
    """
    try:
        return form.model_validate_json(json.dumps(row), strict=True)
    except ValidationError as refused:
        first: Any = refused.errors(include_url=False)[0]
        where = ".".join(map(str, (*filter(None, [place]), *first["loc"])))
        raise InputError(f"{where}: {_message(first, form)}".removeprefix(": ")) from None


def _message(error: Any, form: type[Form]) -> str:
    name = str(error["loc"][-1]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return f"unknown key{nearest(name, form.model_fields)}" if len(error["loc"]) == 1 else "unknown key"
    return "is missing" if error["type"] == "missing" else str(error["msg"])
