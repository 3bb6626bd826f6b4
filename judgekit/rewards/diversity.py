"""What each rollout adds to its group: its part in the determinant of a similarity kernel."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Literal, get_args

import numpy as np

from judgekit.errors import InputError
from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.embedding import Embedder, Embedding, home
from judgekit.rewards.rollout import Rollout, members

Kernel = Literal["cosine", "rbf"]
ETA = 0.01
LEAST_ETA = 1e-8  # below it, rounding in the kernel of exact copies is no longer small beside eta
SAME = 1e-12  # squared distances below it, relative to the vectors, are rounding: the two are copies
LOG = logging.getLogger("judgekit.rewards")


class DPPDiversity(Channel):
    """How much a rollout adds to what the others of its group say: s_i = det L / det L_-i, with L = K + eta I.

    L_-i is L without row and column i, so that s_i is the Schur complement L_ii - L_i,-i L_-i,-i^-1 L_-i,i (the
    diversity reward of EpisodeBench), and the gain that i brings to the determinant by which a determinantal point
    process measures a set (Kulesza & Taskar 2012, "Determinantal Point Processes for Machine Learning", section 2.2).
    K holds the similarities of the texts' embeddings, 1 for a text and itself, so s has no unit and lies in
    (eta, 1 + eta]: 1 + eta is unlike all others, and each of G exact copies gets eta (eta + G) / (eta + G - 1). A copy
    of a rollout never raises its value.

    **In a group of two both values are equal, always**: each is as far from the other as the other from it. So a group
    size of 2 trains nothing here; ask for 3 or more (a warning says so, once). A group of one gets 1 + eta.

    Garbage is diverse. A gate of the composite (`judgekit.rewards.composite.Gate`) before this channel keeps what is
    invalid out of it; without one, ``valid`` does the same. Either way such a rollout, and an empty one, stands in no
    kernel, so that it changes no value of the others, and gets `lowest`: eta, which no valid rollout comes down to.

    A rollout whose embedding is not finite, or has norm 0, has no value, and stands in no kernel either.

    Args:
        embed: None for the installed MiniLM, the name of a sentence-transformers model, or a function of texts that
            returns an array of shape (texts, width); see `judgekit.rewards.embedding.Embedding`. Vectors on a GPU are
            compared there.
        text: what of a rollout is embedded; all that a reader sees without it. Take only the prose where a rollout is
            JSON: its keys make all rollouts alike. Spaces around it do not count.
        valid: whether a rollout may be diverse.
        kernel: ``cosine``, of the vectors scaled to length 1; or ``rbf``, exp(-d^2 / (2 bandwidth^2)) of the distance d
            of the vectors as they are.
        bandwidth: of ``rbf``, in the unit of the vectors; without it, in each group the median distance of its
            different vectors (copies would else shrink it, and make each other look diverse).
        eta: at least 1e-8. It keeps L invertible where rollouts are copies; the smaller it is, the more they lose.
        log: log s_i instead: what the rollout adds to log det L. It is in (log eta, log(1 + eta)], and tells copies
            from near-copies.

    Raises:
        InputError: an unknown kernel, a bandwidth without ``rbf`` or not above 0, an eta too small or not finite.
    """

    grouped = True

    def __init__(
        self,
        name: str = "diversity",
        *,
        embed: str | Embedder | None = None,
        text: Callable[[Rollout], str | None] | None = None,
        valid: Callable[[Rollout], bool] | None = None,
        kernel: Kernel = "cosine",
        bandwidth: float | None = None,
        eta: float = ETA,
        log: bool = False,
    ) -> None:
        if kernel not in get_args(Kernel) or (bandwidth is not None and kernel != "rbf"):
            raise InputError(f"a kernel is cosine, or rbf, which alone has a bandwidth; not {kernel!r}, {bandwidth}")
        if bandwidth is not None and not 0 < bandwidth < math.inf:
            raise InputError(f"a bandwidth is a distance above 0, not {bandwidth}")
        if not LEAST_ETA <= eta < math.inf:
            raise InputError(f"eta is at least {LEAST_ETA}, not {eta}: rounding would decide about copies")
        self.name, self.embedding = name, Embedding(embed)
        self.text, self.valid = text or attrgetter("visible"), valid
        self.kernel, self.bandwidth, self.eta, self.log = kernel, bandwidth, eta, log
        self.lowest = math.log(eta) if log else eta
        self._warned = False

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        texts = [self._text(rollout) for rollout in rollouts]
        spoken = [i for i, text in enumerate(texts) if text]
        values = Values([self.lowest] * len(rollouts))
        if not spoken:
            return values
        vectors = self.embedding([texts[i] for i in spoken])
        for row, why in _faults(vectors).items():
            values[spoken[row]], values.reasons[spoken[row]] = None, why
        rows = {place: row for row, place in enumerate(spoken) if place not in values.reasons}
        for same in _by_size([i for i in group if i in rows] for group in members(rollouts)):
            self._warn(len(same[0]))
            found = contributions(
                vectors[np.array([[rows[i] for i in group] for group in same])],
                kernel=self.kernel,
                bandwidth=self.bandwidth,
                eta=self.eta,
            )
            for group, some in zip(same, found.tolist(), strict=True):
                for i, value in zip(group, some, strict=True):
                    values[i] = math.log(value) if self.log else value
        return values

    def _text(self, rollout: Rollout) -> str:
        """Return what is to be embedded; nothing of a rollout that is not valid."""
        if self.valid is not None and not self.valid(rollout):
            return ""
        text = self.text(rollout)
        if not isinstance(text, str | None):
            raise InputError(f"text= of channel {self.name!r} returned {type(text).__name__}; it owes a str or None")
        return (text or "").strip()

    def _warn(self, size: int) -> None:
        if size == 2 and not self._warned:
            self._warned = True
            LOG.warning(
                "channel %s: a group has two valid rollouts, whose diversity is equal whatever they say: there it "
                "tells nothing (said once); ask for 3 or more for each prompt",
                self.name,
            )


def contributions(vectors: Any, *, kernel: Kernel = "cosine", bandwidth: float | None = None, eta: float = ETA) -> Any:
    """Return s_i of each vector in its group; see `DPPDiversity`.

    Args:
        vectors: (groups, G, width), float64, finite and none of norm 0; of numpy, or of torch on any device.

    Returns:
        (groups, G), of the same library on the same device.
    """
    return schur(_cosine(vectors) if kernel == "cosine" else _rbf(vectors, bandwidth), eta)


def schur(kernels: Any, eta: float = ETA) -> Any:
    """Return s_i = 1 / [(K + eta I)^-1]_ii, for all i by one factorisation of each kernel: G^3, and not G^4.

    In float32 the values of a group of two differ by 1e-7, which a trainer's z-scores make +-0.7: give float64.

    Args:
        kernels: (groups, G, G), positive semi-definite.

    Returns:
        (groups, G).
    """
    of, diagonal = home(kernels), list(range(kernels.shape[-1]))
    regular = kernels * 1.0
    regular[..., diagonal, diagonal] += eta
    return 1 / of.diagonal(of.linalg.inv(regular), 0, -2, -1)


def _cosine(vectors: Any) -> Any:
    of = home(vectors)
    scaled = vectors / of.amax(abs(vectors), -1)[..., None]  # or the squares of huge and of tiny numbers are lost
    unit = scaled / of.sqrt((scaled * scaled).sum(-1))[..., None]
    return unit @ unit.swapaxes(-1, -2)


def _rbf(vectors: Any, bandwidth: float | None) -> Any:
    of, diagonal = home(vectors), list(range(vectors.shape[-2]))
    near = vectors - vectors.mean(-2)[..., None, :]  # distances as differences of small numbers
    sizes = (near * near).sum(-1)
    sums = sizes[..., :, None] + sizes[..., None, :]
    squared = (sums - 2 * near @ near.swapaxes(-1, -2)).clip(0)
    squared[..., diagonal, diagonal] = 0.0
    scale = bandwidth**2 if bandwidth is not None else _median(squared, squared <= SAME * sums)[:, None, None] ** 2
    return of.exp(-squared / (2 * scale))


def _median(squared: Any, same: Any) -> Any:
    """Return the median distance of the different vectors of each group, 1 where all are copies; shape (groups,)."""
    of = home(squared)
    copy = of.tril(same, -1).any(-1)
    counted = of.tril(~copy[:, :, None] & ~copy[:, None, :], -1).reshape(len(squared), -1)
    distances = of.where(counted, of.sqrt(squared).reshape(len(squared), -1), math.nan)
    distances[~counted.any(-1), 0] = 1.0
    return of.nanquantile(distances, 0.5, -1)


def _faults(vectors: Any) -> dict[int, str]:
    """Return what is wrong with rows that have no direction, by row."""
    finite = home(vectors).isfinite(vectors).all(-1).tolist()
    some = (vectors != 0).any(-1).tolist()
    found = {row: "its embedding is not finite" for row, fine in enumerate(finite) if not fine}
    return found | {row: "its embedding has norm 0" for row, fine in enumerate(some) if not fine}


def _by_size(groups: Iterable[list[int]]) -> list[list[list[int]]]:
    """Return groups of one size together, so that each size is one batch and none is padded; empty ones nowhere."""
    found: dict[int, list[list[int]]] = defaultdict(list)
    for group in groups:
        if group:
            found[len(group)].append(group)
    return list(found.values())
