"""Prompt text: a file in sections, filled in one pass, with the judged texts inside a nonce fence.

A prompt file reads from top to bottom as the judge will see it::

    === system ===      who the judge is, the rules, {{criteria}}
    === material ===    the texts to judge, each between two lines that carry {{nonce}}
    === ask ===         what to answer, for all criteria at once: {{format}}
    === ask one ===     the same for one criterion, named by {{criterion}} (pointwise only)
    === ask value ===   the value of one criterion and nothing else, for read-out (pointwise only)

A file may leave out the last two; the house's stand in for them.

The fence: whoever wrote the judged text cannot know the nonce, so it cannot close the fence and speak as the
prompt. A template that puts a judged text outside the fence is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from judgekit import content
from judgekit.errors import RubricError, nearest

SECTION = re.compile(r"^=== ([a-z ]{1,20}) ===$")
SLOT = re.compile(r"\{\{([a-z_]{1,40}(?:\.\w{1,40})?)\}\}")
SECTIONS = ("system", "material", "ask", "ask one", "ask value")
OPTIONAL = ("ask one", "ask value")
JUDGED = {"pointwise": ("prompt", "response", "reference"), "pairwise": ("prompt", "a", "b")}
OURS = ("nonce", "criteria", "criterion", "format")


@dataclass(frozen=True)
class Template:
    """The sections of a prompt, with their ``{{slots}}`` still open."""

    system: str
    material: str
    ask: str
    ask_one: str = ""
    ask_value: str = ""

    def as_text(self) -> str:
        """Return the prompt file that reads as this template."""
        sections = zip(SECTIONS, astuple(self), strict=True)
        return "\n".join(f"=== {name} ===\n{text}\n" for name, text in sections if text)

    @cached_property
    def slots(self) -> set[str]:
        """The names of all slots."""
        return set(SLOT.findall("\n".join(astuple(self))))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill the slots that have a value, in one pass: a slot inside a filled-in text stays text."""
    return SLOT.sub(lambda slot: values.get(slot[1], slot[0]), text)


def read_template(rubric: Path, prompt: str | None, mode: str, language: str) -> Template:
    """Read the prompt of a rubric file: its own, beside it, or the house's for its mode and language."""
    if prompt is None:
        return default_template(mode, language)
    template, house = parse_template(rubric.parent / prompt, mode), default_template(mode, language)
    return replace(template, ask_one=template.ask_one or house.ask_one, ask_value=template.ask_value or house.ask_value)


@lru_cache
def default_template(mode: str, language: str) -> Template:
    """Return the house's prompt for a mode and a language."""
    return parse_template(content.folder("rubrics") / "prompts" / f"{mode}.{language}.txt", mode)


def parse_template(path: Path, mode: str) -> Template:
    """Read a prompt file and check its sections, its slots and its fence.

    Raises:
        RubricError: names the file, the line and the nearest known name.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise RubricError(f"{path}: {getattr(problem, 'strerror', None) or problem}") from None
    sections = _sections(path, lines)
    _check_slots(path, lines, mode)
    for name, slots in _needed(mode).items():
        if not sections.get(name) and name in OPTIONAL:
            continue
        if not sections.get(name):
            raise RubricError(f"{path}:1: the section '=== {name} ===' is missing or empty")
        for slot in slots:
            if slot not in SLOT.findall(sections[name]):
                raise RubricError(f"{path}:1: the section '=== {name} ===' has no {{{{{slot}}}}}")
    return Template(*(sections.get(name, "") for name in SECTIONS))


def _needed(mode: str) -> dict[str, tuple[str, ...]]:
    """Return the slots without which a section makes no sense."""
    judged = ("a", "b") if mode == "pairwise" else ("response",)
    asks = {"ask": ("format",), "ask one": ("criterion", "format"), "ask value": ("criterion",)}
    return {"system": ("criteria",), "material": judged, **asks}


def _sections(path: Path, lines: list[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(lines, 1):
        if heading := SECTION.match(line):
            name = heading[1]
            if name not in SECTIONS or name in found:
                problem = "stands twice" if name in found else f"is unknown{nearest(name, SECTIONS)}"
                raise RubricError(f"{path}:{number}: the section {name!r} {problem}")
            current = found[name] = []
        elif current is not None:
            current.append(line)
        elif line.strip():
            raise RubricError(f"{path}:{number}: text before the first section '=== system ==='")
    return {name: "\n".join(text).strip("\n") for name, text in found.items()}


def _check_slots(path: Path, lines: list[str], mode: str) -> None:
    known = (*JUDGED[mode], *OURS)
    section, opened = "", 0
    for number, line in enumerate([*lines, "=== system ==="], 1):
        if heading := SECTION.match(line):
            if opened:
                raise RubricError(f"{path}:{opened}: the fence that opens here is never closed")
            section = heading[1]
        elif section == "material" and "{{nonce}}" in line and not _judged(line):
            opened = 0 if opened else number
        for slot in SLOT.findall(line):
            if slot not in known and not slot.startswith("metadata."):
                raise RubricError(f"{path}:{number}: unknown slot {slot!r}{nearest(slot, known)}")
        if "{{" in SLOT.sub("", line):
            raise RubricError(f"{path}:{number}: '{{{{' begins no slot; a slot reads {{{{response}}}}")
        if _judged(line) and not opened:
            raise RubricError(f"{path}:{number}: a judged text stands outside the fence of two {{{{nonce}}}} lines")


def _judged(line: str) -> bool:
    return any(slot not in OURS for slot in SLOT.findall(line))
