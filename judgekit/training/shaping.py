"""Entropy-based reward shaping: confident errors and uncertain right verdicts weigh more, mastered pairs less.

RLCS (arXiv 2601.07149) says in words what its shaping does; its formula is not in what is public of it.
`entropy_weights` is **our** form of those words. `ucas_response` and `ucas_tokens` are **UCAS** as its authors' code
has it (github.com/xvolcano02/UCAS, ``compute_ucas_advantage``). Tensors are torch's, and none carries a gradient.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from judgekit.config import Config

Tensor = Any
EPSILON = 1e-4  # TRL's, in the denominator of a group's advantages
UCAS_RIGHT, UCAS_WRONG, UCAS_TOKEN = 0.25, 0.35, 0.05


class Shaping(Config):
    """How advantages are shaped.

    Attributes:
        kind: ``none``; ``entropy``: ours, on the advantages; ``entropy_reward``: ours, on the rewards, before the group
            is normalised; ``ucas``.
        low, high: bounds of our weights.
    """

    kind: Literal["none", "entropy", "entropy_reward", "ucas"] = "none"
    low: Annotated[float, Field(gt=0)] = 0.5
    high: Annotated[float, Field(gt=0)] = 1.5

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


def unit_ranks(values: Tensor) -> Tensor:
    """Return each value's rank in the batch on [0, 1]; equal values share the mean of their ranks. Shape (n,)."""
    below = (values[None, :] < values[:, None]).sum(1)
    equal = (values[None, :] == values[:, None]).sum(1)
    return (below + (equal - 1) / 2) / max(1, len(values) - 1)


def entropy_weights(entropy: Tensor, right: Tensor, low: float, high: float) -> Tensor:
    """Return a weight in [low, high] for each reply.

    ``h`` is the rank of the reply's mean token entropy in the batch, on [0, 1]; ``u = h`` where the verdict is right
    and ``1 - h`` where it is wrong; the weight is ``low + (high - low) u``. So the certain right ones (mastered) weigh
    least, the uncertain right ones and the certain wrong ones most.

    On advantages (``kind: entropy``) it keeps every sign, and a group that is all right or all wrong stays at 0. On
    rewards (``kind: entropy_reward``) such a group no longer has equal rewards: within one that is all right, the
    certain replies get a negative advantage, which raises entropy for its own sake.

    Args:
        entropy: mean token entropy in nats, shape (replies,).
        right: bool, shape (replies,).
    """
    h = unit_ranks(entropy)
    return low + (high - low) * h.where(right, 1 - h)


def group_advantages(rewards: Tensor, size: int, scale: str) -> Tensor:
    """Return the rewards less their group's mean, over the standard deviation: what TRL's trainer does.

    Args:
        rewards: shape (groups * size,), group by group.
        scale: ``group``, ``batch`` or ``none``: whose standard deviation (ddof 1); TRL's ``scale_rewards``.
    """
    grouped = rewards.view(-1, size)
    centred = grouped - grouped.mean(1, keepdim=True)
    if scale == "group":
        centred = centred / (grouped.std(1, keepdim=True) + EPSILON)
    elif scale == "batch":
        centred = centred / (rewards.std() + EPSILON)
    return centred.view(-1)


def ucas_response(advantages: Tensor, certainty: Tensor, size: int) -> Tensor:
    """Return UCAS' first stage: ``A exp(-0.25 z)`` where A > 0, else ``A exp(0.35 z)``.

    Args:
        advantages: of the group, shape (groups * size,).
        certainty: sum over a reply's tokens of ``logsumexp(logits) - mean(logits)``, which is KL(uniform || p) up to
            the constant log V for each token; ``z`` is its z-score in the group (ddof 1, epsilon 1e-6).
    """
    grouped = certainty.view(-1, size)
    z = ((grouped - grouped.mean(1, keepdim=True)) / (grouped.std(1, keepdim=True) + 1e-6)).view(-1)
    return advantages * (-UCAS_RIGHT * z).exp().where(advantages > 0, (UCAS_WRONG * z).exp())


def ucas_tokens(shaped: Tensor, logits: Tensor, mask: Tensor, lowest: Tensor, highest: Tensor) -> Tensor:
    """Return UCAS' second stage, shape (replies, tokens): each token less 0.05 times its logit's place in the batch.

    A positive advantage does not fall below 0. Where all logits are equal, each stands in the middle.

    Args:
        shaped: first stage, shape (replies,).
        logits: of the written tokens, shape (replies, tokens); ``mask``: which of them there are.
        lowest, highest: of the batch's logits.
    """
    spread = highest - lowest
    place = (logits - lowest) / (spread + 1e-6)
    place = place.new_full(place.shape, 0.5) if bool(spread.abs() <= 1e-8 + 1e-5 * lowest.abs()) else place
    first = shaped[:, None] * mask
    second = first - UCAS_TOKEN * place * mask
    return second.clamp(min=0.0).where(first > 0, second)


def quadrants(entropy: Tensor, right: Tensor) -> dict[str, float]:
    """Count replies: confident (the lower half of the batch's entropies) or uncertain, right or wrong."""
    confident = unit_ranks(entropy) < 0.5
    cells = {"confident_right": confident & right, "confident_wrong": confident & ~right}
    cells |= {"uncertain_right": ~confident & right, "uncertain_wrong": ~confident & ~right}
    return {name: float(cell.sum()) for name, cell in cells.items()}
