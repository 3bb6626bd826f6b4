"""Human-reference injection: in each group one rollout is a text by a person, judged beside the policy's own.

POLARIS (arXiv 2606.04095; its code: github.com/RishanthRajendhran/POLARIS). Tensors are torch's, and none carries a
gradient. Rewards are NaN where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from judgekit.config import Config

Tensor = Any
EPSILON = 1e-4  # TRL's, in the denominator of a group's advantages; POLARIS has 1e-6
NAN = float("nan")
THINK = "<think>"


class ReferenceInjection(Config):
    """References in the groups of a policy's training.

    Attributes:
        column: the column of the dataset with a whole reply to the row's prompt, thinking included, as the policy would
            write it: ``<think>\\n...\\n</think>\\n\\n...``. Do not call it ``reference`` where a judge is shown that
            column: it would see the reasoning.
        weight: ``w``, what the reference's advantage is multiplied by.
        warmup_steps: over how many optimizer steps ``w`` rises from 0.
    """

    column: Annotated[str, Field(min_length=1)] = "human_reference"
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.4
    warmup_steps: Annotated[int, Field(ge=0)] = 15

    def at(self, step: int) -> float:
        """Return ``w`` after so many optimizer steps: ``weight * step / warmup_steps``, then ``weight``."""
        return self.weight * min(1.0, step / self.warmup_steps) if self.warmup_steps else self.weight


def continuing(prompt: str, reference: str) -> str:
    """Return a reference as it continues the prompt: chat templates that open the thinking themselves open it once."""
    if not (prompt.rstrip().endswith(THINK) and reference.lstrip().startswith(THINK)):
        return reference
    rest = reference.lstrip().removeprefix(THINK)
    return rest.lstrip("\n") if prompt.endswith("\n") else rest


@dataclass(frozen=True)
class Standings:
    """How each group's reference stands against the policy's own rollouts; tensors of shape (groups,).

    NaN where the group has no reference, where that is unscored, and where none of the policy's own is scored.

    Attributes:
        lead: the reference's reward less the mean of the policy's own, ``R_ref - mu``.
        advantage: ``(R_ref - mu) / (sigma + EPSILON)``, not clipped, not yet times ``w``.
        wins: 1 where the reference has more than every rollout of the policy, else 0.
    """

    lead: Tensor
    advantage: Tensor
    wins: Tensor


def standings(rewards: Tensor, injected: Tensor, size: int, scale: str) -> Standings:
    """Compare references with the rollouts of their groups.

    ``sigma`` (ddof 1) is 1 where there is none: where the rewards are equal up to rounding, in which case the formula
    would give ten thousand times the lead, and where only one rollout is scored, as POLARIS' code has it there.

    Args:
        rewards: shape (groups * size,), group by group.
        injected: bool, of the same shape: which are references. Only the last of a group can be.
        scale: ``group``, ``batch`` or ``none``: whose standard deviation; TRL's ``scale_rewards``.
    """
    reference, present = rewards.view(-1, size)[:, -1], injected.view(-1, size)[:, -1]
    policy = rewards.masked_fill(injected, NAN).view(-1, size)
    mean = policy.nanmean(1)
    lead = (reference - mean).masked_fill(~present, NAN)
    best = policy.nan_to_num(nan=-float("inf")).amax(1)
    wins = (reference > best).to(rewards).masked_fill(lead.isnan(), NAN)
    if scale == "none":
        return Standings(lead, lead, wins)
    sigma = _deviation(policy if scale == "group" else policy.view(1, -1))
    sigma = (sigma + EPSILON).masked_fill(~(sigma > 1e-6 * mean.abs()), 1.0)
    return Standings(lead, lead / sigma, wins)


def _deviation(values: Tensor) -> Tensor:
    """Return the standard deviation (ddof 1) of each row's known values; NaN or infinite where there are not two."""
    squares = (values - values.nanmean(1, keepdim=True)) ** 2
    return (squares.nansum(1) / ((~values.isnan()).sum(1) - 1)).sqrt()
