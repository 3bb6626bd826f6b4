"""The JSON object that an answer holds."""

from __future__ import annotations

import json
import re
from typing import Any

from judgekit.strict_json import no_constant, once

OPENED, CLOSED = "<think>", "</think>"
TOKEN = re.compile(r'\\.|["{}]', re.DOTALL)


def visible(text: str) -> str:
    """Return what a reader sees of an answer: after the last ``</think>``; nothing where reasoning never ended."""
    if CLOSED in text:
        return text.rpartition(CLOSED)[2].strip()
    return "" if OPENED in text else text


def json_object(text: str) -> dict[str, Any] | None:
    """Return the one JSON object in a text, with prose or a fence around it or not; None where there is not just one.

    Strict where a policy could gain by being loose: an object that is never closed, a brace that was never opened, two
    objects, a key that stands twice, NaN and other numbers that JSON has not, and a string that is no Unicode text are
    no answer. What stands in braces and is not JSON is prose. Time and memory are linear in the length of the text.
    """
    objects = (value for span in _outermost(text) if (value := _parsed(span)) is not None)
    first, second = next(objects, None), next(objects, None)
    return first if second is None else None


def _outermost(text: str) -> list[str]:
    """Return the outermost ``{...}`` spans; none where braces do not match, for then nobody can tell what is whole."""
    spans: list[str] = []
    depth, start, in_string = 0, 0, False
    for token in TOKEN.finditer(text):
        mark = token[0]
        if mark == '"':
            in_string = depth > 0 and not in_string
        elif mark == "{" and not in_string:
            start = start if depth else token.start()
            depth += 1
        elif mark == "}" and not in_string:
            depth -= 1
            if depth < 0:
                return []
            if depth == 0:
                spans.append(text[start : token.end()])
    return [] if depth else spans


def _parsed(span: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = DECODER.decode(span)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()  # lone surrogates, and 1e999
    except (ValueError, RecursionError):
        return None
    return found


DECODER = json.JSONDecoder(object_pairs_hook=once, parse_constant=no_constant)
