"""JSON that says one thing: no key twice in an object, no NaN and no infinity. For `json`'s hooks."""

from __future__ import annotations

from typing import Any, NoReturn


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of its pairs (``object_pairs_hook``).

    Raises:
        ValueError: a key stands twice; names it.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in names if names.count(key) > 1)!r} stands twice")
    return found


def no_constant(name: str) -> NoReturn:
    """Refuse NaN, Infinity and -Infinity (``parse_constant``)."""
    raise ValueError(f"{name} is not a JSON number")
