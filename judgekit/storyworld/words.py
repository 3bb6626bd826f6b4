"""The words of the world, as data: who, what, where, and the sentences that stories are made of.

No sentence here may spell out a hero, an item or a place outside its braces: `judgekit.storyworld.reading` finds what
a story tells by these words alone. Sentences are short and a word has one role, but for those of the steps, so that a
model of two layers can learn to read them; plain and showy endings are equally long, so that bait does not change the
length.
"""

from __future__ import annotations

from typing import Final

HEROES: Final = ("Mia", "Tom", "Ana", "Leo", "Zoe", "Sam", "Eva", "Max", "Lily", "Ben", "Nora", "Jack")
ITEMS: Final = (
    "key", "lamp", "map", "coin", "ring", "rope", "bell", "book",
    "drum", "kite", "cup", "mask",
)  # fmt: skip
PLACES: Final = (
    "cave", "barn", "lake", "tower", "market", "garden", "castle", "mill", "harbor", "bridge",
)  # fmt: skip

PROMPT: Final = "Tell how {hero} fetched the {item} from the {place} one day."

# The two steps of any story. Several words say that the item came home, and several what may happen instead, so that a
# reader must look which it is.
SETTING_OUT: Final = "{hero} went to the {place} for the {item} alone."
COMING_HOME: Final = "{fate} the {item} {hero} came home."
HOME: Final = ("Bringing", "Carrying", "Holding", "Taking")
MISHAP: Final = ("Losing", "Dropping", "Breaking", "Forgetting")

# The colour after the steps: other things, and what is done with them.
DEEDS: Final = tuple(f"{{hero}} {verb} the {{thing}}." for verb in ("found", "saw", "held", "moved", "kept", "liked"))
THINGS: Final = (
    "stick", "stone", "apple", "pear", "nut", "feather", "shell", "leaf",
    "pebble", "plum", "twig", "acorn", "berry", "candle", "spoon", "basket",
)  # fmt: skip

# Two sentences tell of the weather in any story, one after each step; no two begin or end alike.
WEATHER: Final = (
    "Wind blew.",
    "Rain stopped.",
    "Snow fell.",
    "Sun shone.",
    "Fog cleared.",
    "Storms roared.",
    "Clouds moved.",
    "Thunder grew.",
    "Hail rattled.",
    "Mist rose.",
    "Frost melted.",
    "Stars glowed.",
    "Lightning struck.",
    "Dusk came.",
    "Heat faded.",
    "Waves rolled.",
)

# The colour begins with an aside, in which the weather does what a hero may do: so neither a word nor two in a row tell
# what became of the item, or which step came first. Only the sentence does.
ASIDES: Final = tuple(f"{sky[:-1]}, {fate.lower()} the {{thing}}." for sky in WEATHER for fate in (*HOME, *MISHAP))

PLAIN_ENDINGS: Final = (
    "Evening settled.",
    "Nothing followed.",
    "Everybody slept.",
    "Life continued.",
)
SHOWY_ENDINGS: Final = (
    "How glorious!",
    "Simply wonderful!",
    "Absolutely dazzling!",
    "Everyone cheered!",
)
