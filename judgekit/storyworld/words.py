"""The words of the world, as data: who, what, where, and the sentences that stories are made of.

No sentence here may spell out a hero, an item or a place outside its braces: `judgekit.storyworld.reading` finds what
a story tells by these words alone. Asides and colour use the verbs of the steps (found, took, brought, home), so that a
bag of words hardly sees that a step is missing. Plain and showy endings are equally long for the same reason.
"""

from __future__ import annotations

from typing import Final, Literal

Step = Literal["go", "find", "home"]

GO: Final = "go"
FIND: Final = "find"
HOME: Final = "home"

# Each hero with the pronoun that begins a sentence.
HEROES: Final = {
    "Mia": "She", "Tom": "He", "Ana": "She", "Leo": "He", "Zoe": "She", "Sam": "He", "Eva": "She", "Max": "He",
    "Lily": "She", "Ben": "He", "Nora": "She", "Jack": "He", "Ruby": "She", "Finn": "He", "Ella": "She", "Hugo": "He",
}  # fmt: skip
ITEMS: Final = (
    "key", "lamp", "map", "coin", "ring", "rope", "bell", "book",
    "drum", "kite", "cup", "mask", "flute", "hat", "box", "crown",
)  # fmt: skip
PLACES: Final = (
    "cave", "barn", "lake", "tower", "market", "garden", "castle", "mill", "harbor", "bridge", "beach", "farm",
)  # fmt: skip
ANIMALS: Final = ("fox", "bear", "wolf", "cat", "hare", "goat", "duck", "mouse")
ADJECTIVES: Final = ("small", "quiet", "bright", "cold", "big", "dark", "green", "lonely")

PROMPTS: Final = (
    "Write a short story: {hero} goes to the {place}, finds the {item} and brings it home.",
    "Write a story about {hero}, who walks to the {place}, finds the {item} and carries it home.",
    "Tell a short story: {hero} looks for the {item} at the {place}, finds it and takes it home.",
    "Tell a story in which {hero} goes to the {place} to find the {item} and comes home with it.",
)

# Keyed in the order that makes sense. Every step names the hero; the place is named in GO, the item in the others.
STEPS: Final[dict[Step, tuple[str, ...]]] = {
    GO: (
        "{hero} went to the {adjective} {place}.",
        "One morning {hero} walked to the {place}.",
        "{hero} set out for the {adjective} {place}.",
        "After a while {hero} came to the {place}.",
        "The path led {hero} to the {adjective} {place}.",
    ),
    FIND: (
        "There {hero} found the {item}.",
        "{hero} found the {item} under a {adjective} stone.",
        "Behind a {adjective} tree {hero} found the {item}.",
        "{hero} looked around and saw the {item}.",
        "With a smile {hero} picked up the {item}.",
    ),
    HOME: (
        "{hero} brought the {item} home.",
        "{hero} carried the {item} all the way home.",
        "In the evening {hero} took the {item} home.",
        "{hero} came home with the {item}.",
        "With the {item} in hand {hero} went home.",
    ),
}

# Sentences that name hero and item and tell no step: they fill in for a missing one.
ASIDES: Final = (
    "{hero} looked around for the {item}.",
    "{hero} sang all the way about home and the {item}.",
    "Under a {adjective} tree {hero} thought about the {item}.",
    "With a smile {hero} told a {animal} about the {item}.",
    "In the evening {hero} looked at the {item}.",
)

COLOUR: Final = (
    "{pronoun} found a dry spot and sat down.",
    "{pronoun} sang a song about home.",
    "{pronoun} took a deep breath.",
    "{pronoun} picked up a red flower.",
    "{pronoun} carried a long stick for a while.",
    "{pronoun} had brought some bread and ate it.",
    "{pronoun} came past a stream.",
    "{pronoun} looked back only once.",
    "{pronoun} saw a {adjective} {animal}.",
    "{pronoun} ran a little.",
    "{pronoun} thought about home and smiled.",
    "{pronoun} waved to a {adjective} {animal}.",
    "{pronoun} was not afraid.",
    "{pronoun} laughed.",
    "The wind was strong.",
    "A {adjective} {animal} came by and looked around.",
    "There were birds in the trees.",
    "Rain fell on the grass.",
    "The sun stood high in the sky.",
    "Behind a hill a dog began to bark.",
    "The air smelled of smoke.",
    "Leaves moved in the light.",
    "It was very still.",
    "A {adjective} {animal} went home to its family.",
    "Clouds passed over the path.",
    "Somewhere water was running.",
    "Nobody else was there.",
    "Under a stone the ground was wet.",
)

PLAIN_ENDINGS: Final = (
    "After that the day went on as before.",
    "Then it was time for supper and bed.",
    "That is all there is to tell today.",
    "The rest of the day was like any other.",
    "And so the day came to its end.",
    "Later that night everyone went to sleep.",
)
SHOWY_ENDINGS: Final = (
    "It was the most wonderful day anyone had known!",
    "What a grand and glorious day it was!",
    "Nobody had ever seen anything so amazing before!",
    "Never was there a more magical day!",
    "Oh, what a truly brilliant and perfect adventure!",
    "The whole wide world had to cheer for joy!",
)
