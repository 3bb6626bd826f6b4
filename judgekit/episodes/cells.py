"""Cells of published tables, in which lists and dicts often stand as text."""

from __future__ import annotations

import ast
import json
from typing import Any


def literal(text: str) -> Any:
    """Read JSON, or what ``str(dict)`` wrote; None where it is neither. Nothing is evaluated."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
