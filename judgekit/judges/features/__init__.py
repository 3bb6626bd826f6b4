"""What the embedded classifier sees of a prompt and its response: named numbers, each finite for any text.

The list was chosen on half of the prompts of HANNA (stories written to a prompt, rated by people); nothing in it names
a data set or a generator. Traces that only tell generators apart there (a missing full stop at the end, capitals, quote
styles) were left out on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from judgekit.judges.features.coherence import AXES, Encode, Units, coherence, unit
from judgekit.judges.features.surface import surface
from judgekit.judges.features.units import Array, clean
from judgekit.types import Sample, prompt_text

VERSION = 1  # raise it when a feature's arithmetic changes: heads and caches of another version are refused
BLOCK = 64  # samples whose parts are encoded together


def feature_matrix(samples: Sequence[Sample], encode: Encode) -> Array:
    """Return the features of each sample, shape (samples, len(feature_names())).

    Args:
        encode: texts -> unit vectors, shape (texts, width).
    """
    axes = unit(encode([text for pair in AXES.values() for text in pair]))
    directions = axes[0::2] - axes[1::2]
    blocks = [samples[i : i + BLOCK] for i in range(0, len(samples), BLOCK)]
    return np.vstack([_block(block, encode, directions) for block in blocks])


@lru_cache
def feature_names() -> tuple[str, ...]:
    """Return the names of the features, in their order."""
    units = Units.of("", "")
    return (*surface(""), *coherence(units, np.zeros((len(units.texts), 2)), np.zeros((len(AXES), 2))))


def _block(samples: Sequence[Sample], encode: Encode, directions: Array) -> Array:
    """Encode each distinct part of the texts of a block once; the parts of one prompt recur in every response to it."""
    units = [Units.of(clean(prompt_text(s.prompt)), clean(s.response)) for s in samples]
    place = {text: i for i, text in enumerate(dict.fromkeys(text for u in units for text in u.texts))}
    vectors = unit(encode(list(place)))
    rows = [
        {**surface(u.response), **coherence(u, vectors[[place[text] for text in u.texts]], directions)} for u in units
    ]
    return np.array([[row[name] for name in feature_names()] for row in rows])
