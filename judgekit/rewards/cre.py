"""Contextual reasoning entropy (CRE) of EpisodeBench's released code, as an optional channel.

It is in none of the model cards. ``exp(-CRE)`` is a weighted geometric mean of token probabilities: it pays for
confidence, against what a diversity reward pays for. It needs numbers of the policy that trainers do not pass along by
themselves; `judgekit.rewards.history` makes the two prompts that they are taken under.

What is mended of the release:

- ``info_flow`` was divided by a position that counts the padding on the left, and so fell as a prompt was padded more
  (0.54, 0.26, 0.10 at 0, 60, 240 pads of one text). `information_flow` counts the tokens before.
- Weights could be negative, with which ``exp(-CRE)`` leaves (0, 1] and an unlikely token is paid for. They stop at 0
  here, as in the release's own variant ``with_pred``; where none is negative the value is that of the release.
- All turns of an episode were shown its last progress, which gives the jump away to the entropies and the policy alike:
  see `judgekit.episodes.progress.own_progress`.
- The L x L similarities of L tokens, 82 million numbers at L = 9,048: prefix sums take L x d steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.errors import InputError
from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.rollout import Rollout

Array = NDArray[np.float64]
TINY, MOST = 1e-8, 10.0  # the release's epsilon and clamp
SLACK = 1e-6  # rounding that may carry a log-probability above 0, or an entropy below


def information_flow(hidden: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Return f_i = max(0, mean of cos(h_i, h_j) over the earlier tokens j), for each token i; the first has 0.

    The sum over j is one product with the sum of the earlier unit vectors, so that L tokens of d numbers take O(L d)
    steps. Give it prompt and response, as the release does, and keep the response's part.

    Args:
        hidden: hidden states of the last layer, (L, d). A vector of norm 0 is similar to nothing.
        mask: (L,), false or 0 for padding, wherever it stands: it is no earlier token of any, and has 0 itself.

    Returns:
        (L,), in [0, 1].

    Raises:
        InputError: not (L, d) with a mask (L,), or a number that is not finite.
    """
    states = np.asarray(hidden, dtype=np.float64)
    real = np.ones(states.shape[:1], dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if states.ndim != 2 or real.shape != states.shape[:1] or not np.isfinite(states[real]).all():
        raise InputError(
            f"hidden states are (L, d) and finite, their mask (L,); these are {states.shape}, {real.shape}"
        )
    flow, before = np.zeros(len(states)), np.zeros(states.shape[1])
    for count, place in enumerate(np.flatnonzero(real)):
        unit = states[place] / (np.linalg.norm(states[place]) or 1.0)
        flow[place] = min(max(unit @ before / max(count, 1), 0.0), 1.0)
        before += unit
    return flow


def contextual_reasoning_entropy(
    logprobs: ArrayLike,
    entropy: ArrayLike,
    entropy_without: ArrayLike,
    info_flow: ArrayLike,
    *,
    beta: float = 1.0,
    gamma: float = 1.0,
) -> float:
    """Return CRE = -sum of w_i log p_i over the T tokens of a response, 0 or more.

    d_i = (H+_i - H-_i) / (H-_i + 1e-8) within [-10, 10], a_i = max(0, 1 + beta d_i + gamma f_i) and w = a / sum(a);
    where all a are 0, w = 1 / T.

    Args:
        logprobs: log p of each token given prompt and history, (T,); natural logarithms, as the entropies.
        entropy: H+, of the policy's distribution at each token given prompt and history.
        entropy_without: H-, the same tokens forced on the policy after the prompt without its history.
        info_flow: f_i, from `information_flow`.

    Raises:
        InputError: not four lists of one length above 0, a number that is not finite, log p > 0, or an entropy or a
            flow below 0.
    """
    log_p, plus, minus, flow = _columns(logprobs, entropy, entropy_without, info_flow)
    gain = np.clip((plus - minus) / (minus + TINY), -MOST, MOST)
    weights = np.maximum(0.0, 1 + beta * gain + gamma * flow)
    total = float(weights.sum())
    even = np.full_like(weights, 1 / len(weights))
    return -float((weights / total if total > TINY else even) @ log_p)


def _columns(*columns: ArrayLike) -> list[Array]:
    names = ("log-probabilities", "entropies", "entropies without history", "flows")
    try:
        found = [np.asarray(column, dtype=np.float64) for column in columns]
    except (TypeError, ValueError) as error:
        raise InputError(f"a column of CRE is no list of numbers: {error}") from None
    if len({column.shape for column in found}) > 1 or found[0].ndim != 1 or not found[0].size:
        shapes = ", ".join(f"{name} {column.shape}" for name, column in zip(names, found, strict=True))
        raise InputError(f"CRE needs four numbers for each token of the response: {shapes}")
    for name, column, sign in zip(names, found, (-1, 1, 1, 1), strict=True):
        if not np.isfinite(column).all() or (sign * column < -SLACK).any():
            raise InputError(
                f"the {name} hold what they cannot: they are finite and {'at most' if sign < 0 else 'at least'} 0"
            )
    return [np.minimum(found[0], 0.0), *(np.maximum(column, 0.0) for column in found[1:])]


class CREReward(Channel):
    """exp(-CRE), in (0, 1]: what EpisodeBench's released models were trained with, its weight 0.40.

    The numbers come in columns of the row, a list (or an array) with a number for each token of the response and no
    padding; the names are those of the release. The value is None, with the reason, where a column is missing or holds
    what `contextual_reasoning_entropy` refuses.

    Args:
        beta, gamma: how much the gain in entropy by history and the information flow count; 1 in the release.

    Raises:
        InputError: a beta or a gamma that is not finite.
    """

    def __init__(
        self,
        beta: float = 1.0,
        gamma: float = 1.0,
        *,
        logprobs: str = "old_log_probs",
        entropy: str = "old_entropy",
        entropy_without: str = "entropy_wo_r",
        info_flow: str = "info_flow",
        name: str = "cre",
    ) -> None:
        if not math.isfinite(beta) or not math.isfinite(gamma):
            raise InputError(f"beta and gamma are finite numbers, not {beta} and {gamma}")
        self.beta, self.gamma, self.name = beta, gamma, name
        self.columns = (logprobs, entropy, entropy_without, info_flow)

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        values = Values()
        for i, rollout in enumerate(rollouts):
            try:
                values.append(self._value(rollout))
            except InputError as error:
                values.append(None)
                values.reasons[i] = str(error)
        return values

    def _value(self, rollout: Rollout) -> float:
        missing = [name for name in self.columns if rollout.columns.get(name) is None]
        if missing:
            raise InputError(f"the row has no {', '.join(missing)}")
        given: list[Any] = [rollout.columns[name] for name in self.columns]
        return math.exp(-contextual_reasoning_entropy(*given, beta=self.beta, gamma=self.gamma))
