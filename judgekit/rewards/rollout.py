"""What a reward looks at: the responses of a policy, each with its prompt, its group and the columns of its row."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from judgekit.episodes.answer import CLOSED, OPENED, visible
from judgekit.errors import InputError
from judgekit.types import Prompt, Sample, prompt_text

TOKENS = "completion_ids"  # TRL's column: of equal texts one may hold the token that ends it, and another not


@dataclass(frozen=True, slots=True)
class Rollout:
    """One response of a policy.

    Attributes:
        completion: all that the policy wrote, its reasoning included.
        group: what the rollouts share that are held against each other: those of one prompt in one step.
        columns: what else the row of the data set holds, by name.
    """

    prompt: Prompt
    completion: str
    group: Hashable = ""
    columns: Mapping[str, Any] = field(default_factory=dict)

    @property
    def visible(self) -> str:
        """What a reader sees: after the last ``</think>``; nothing where reasoning was begun and never ended."""
        return visible(self.completion)

    @property
    def reasoning(self) -> str:
        """What the policy thought before it answered; empty where it did not."""
        if CLOSED in self.completion:
            return self.completion.rpartition(CLOSED)[0].replace(OPENED, "", 1).strip()
        return self.completion.partition(OPENED)[2].strip()

    @property
    def sample(self) -> Sample:
        """The rollout as a judge sees it; a column called ``reference`` is its reference. No judge reads tokens."""
        reference = self.columns.get("reference")
        return Sample(
            self.prompt,
            self.visible,
            reference=reference if isinstance(reference, str) else None,
            metadata={name: value for name, value in self.columns.items() if name not in ("reference", TOKENS)},
        )


def rollouts_of(
    prompts: Sequence[Prompt],
    completions: Sequence[str | Sequence[Mapping[str, Any]]],
    columns: Mapping[str, Any],
    groups: Sequence[Hashable] | None = None,
) -> list[Rollout]:
    """Make rollouts of what trainers pass around: one list for each thing, a row for each completion.

    Args:
        completions: texts, or chats; of a chat its last message counts.
        columns: those that are lists, arrays or tensors of as many rows as there are completions; others are none.
        groups: without it, equal prompts are one group.

    Raises:
        InputError: not as many prompts, or groups, as completions.
    """
    n = len(completions)
    if len(prompts) != n or (groups is not None and len(groups) != n):
        of = "" if groups is None else f" and {len(groups)} groups"
        raise InputError(f"{n} completions, but {len(prompts)} prompts{of}: a row for each")
    kept = {name: values for name, values in columns.items() if _has_rows(values, n)}
    names = [prompt_text(prompt) for prompt in prompts] if groups is None else groups
    return [
        Rollout(prompts[i], text_of(completions[i]), names[i], {name: values[i] for name, values in kept.items()})
        for i in range(n)
    ]


def _has_rows(values: Any, n: int) -> bool:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__getitem__"):
        return False
    try:
        return len(values) == n
    except TypeError:  # an array or a tensor of one number
        return False


def text_of(completion: str | Sequence[Mapping[str, Any]]) -> str:
    """Return a completion as text; of a chat the content of its last message, empty where it has none.

    Of a content in parts the texts count, one after the other.
    """
    if isinstance(completion, str):
        return completion
    content = completion[-1].get("content") if completion else None
    if isinstance(content, Sequence) and not isinstance(content, str):
        return "".join(str(part.get("text", "")) for part in content)
    return str(content or "")


def members(rollouts: Sequence[Rollout]) -> list[list[int]]:
    """Return the places of the rollouts of each group, the groups in the order of their first."""
    found: dict[Hashable, list[int]] = {}
    for i, rollout in enumerate(rollouts):
        found.setdefault(rollout.group, []).append(i)
    return list(found.values())
