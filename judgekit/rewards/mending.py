"""JSON that a model got wrong, read for what it probably meant. For published rewards only: a reward must not guess."""

from __future__ import annotations

import re
from typing import Any

OPENS = re.compile(r"[{\[]")
TOKEN = re.compile(r"""\s*+("(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[{}\[\],:]|[^\s{}\[\],:"']++)""", re.DOTALL)
WORDS = {"true": True, "false": False, "none": None, "null": None}
DEEPEST = 100


def mended(text: str) -> Any:
    """Return what stands in braces or brackets in a text: the value, a list of several different ones, or None.

    It plays the part that the json_repair package has in EpisodeBench's release, in linear time (10 KB of ``{"`` keep
    json_repair 0.64 busy for half a minute). Like it, it takes Python's quotes and constants, leaves out prose, closes
    what is open at the end, and takes equal values in a row as one. Beyond a depth of 100 there is nothing.
    """
    found: list[Any] = []
    at = 0
    while start := OPENS.search(text, at):
        value, at = _value(text, start.start(), DEEPEST)
        if not found or found[-1] != value:
            found.append(value)
    return found[0] if len(found) == 1 else found or None


def _value(text: str, at: int, deeper: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends."""
    token = TOKEN.match(text, at)
    if token is None or deeper == 0:
        return None, len(text)
    if token[1] in "]},:":
        return None, at
    if token[1] == "{":
        return _object(text, token.end(), deeper)
    if token[1] == "[":
        return _list(text, token.end(), deeper)
    return _plain(token[1]), token.end()


def _list(text: str, at: int, deeper: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while token := TOKEN.match(text, at):
        if token[1] in ("]", "}"):
            return found, token.end()
        if token[1] in (",", ":"):
            at = token.end()
        else:
            value, at = _value(text, at, deeper - 1)
            found.append(value)
    return found, len(text)


def _object(text: str, at: int, deeper: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while token := TOKEN.match(text, at):
        if token[1] in ("]", "}"):
            return found, token.end()
        at = token.end()
        after = TOKEN.match(text, at)
        if token[1] not in (",", ":", "{", "[") and after and after[1] == ":":
            found[str(_plain(token[1]))], at = _value(text, after.end(), deeper - 1)
    return found, len(text)


def _plain(token: str) -> Any:
    """Return the value of a text, a constant or a number; a word that is neither is a text."""
    if token[0] in "\"'":
        return token[1:-1] if len(token) > 1 and token[-1] == token[0] else token[1:]
    if token.lower() in WORDS:
        return WORDS[token.lower()]
    if token[0] not in "-0123456789":
        return token
    try:
        return float(token) if "." in token or "e" in token.lower() else int(token)
    except ValueError:
        return token
