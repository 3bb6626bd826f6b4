"""What is drawn when an interval is made: items, clusters of them, or two crossed kinds of clusters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.estimate import Clusters, number
from judgekit.errors import InputError

Ints = NDArray[np.int64]
Kept = Ints | NDArray[np.bool_]


class Crossed(NamedTuple):
    """Two clusters for every item, such as its prompt and the system that wrote it."""

    one: Clusters
    two: Clusters


Units = Clusters | Crossed | None


def kinds(units: Units, items: int) -> tuple[Clusters, ...]:
    """Return the kinds of clusters: none, one or two.

    Raises:
        InputError: not as many names as items.
    """
    found = units if isinstance(units, Crossed) else () if units is None else (units,)
    for names in found:
        if len(names) != items:
            raise InputError(f"{items} items, but {len(names)} clusters")
    return found


def kept_units(units: Units, kept: Kept, items: int) -> Units:
    """Return the units of some of the items, whose numbers or mask are ``kept``.

    Raises:
        InputError: as in `kinds`.
    """
    found = [number(names)[kept] for names in kinds(units, items)]
    return Crossed(*found) if len(found) == 2 else found[0] if found else None
