"""What a policy is asked: turns of episodes, or prompts for stories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from judgekit.episodes import StoryWorld, Turn, read_turns
from judgekit.episodes.tables import rows_of
from judgekit.errors import InputError
from judgekit.files import check, read, read_rows
from judgekit.files.rows import Row, id_of, kind_of, metadata_of, prompt_of
from judgekit.storyworld import FLAWS, Split, outlines
from judgekit.storyworld.dice import Dice
from judgekit.storyworld.stories import tell
from judgekit.types import Prompt, prompt_text

Kind = Literal["turns", "stories"]
STORYWORLD: Final = "storyworld"
STORIES: Final = "storyworld-stories"
SENTENCES: Final = (6, 7)  # of a story that is as it should be; a flawed one may have any number
FLAWED: Final = (5, 14)
WORLD: Final = StoryWorld()  # its stories for testing are none that any seed trains on
ASKED: Final = 200  # of the storyworld, where nobody says how many
TURN_COLUMNS: Final = {"next_episode", "target_response", "conversations"}
WORDS: Final = ("words", "target_word_count")  # POLARIS' data set says the latter


@dataclass(frozen=True, slots=True)
class StoryPrompt:
    """A prompt for a story.

    Attributes:
        words: how many are asked for; None where only the prompt says so, or nothing does.
        group: what prompts share that are not independent; the prompt itself where it is empty.
        reference, metadata: what a rubric may show to a judge beside the story.
        human_reference: a whole reply by a person, reasoning included, which no judge is shown: to learn, or to inject.
    """

    id: str
    prompt: Prompt
    words: int | None = None
    group: str = ""
    reference: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    human_reference: str | None = None


Asked = Turn | StoryPrompt


def cluster(one: Asked) -> str:
    """Return what is resampled whole: of a turn its story, or its conversation where none is known."""
    if isinstance(one, Turn):
        return one.conversation if one.story is None else one.story
    return one.group or prompt_text(one.prompt)


@dataclass(frozen=True, slots=True)
class Data:
    """What is asked, under its name; and what of the source could not be used, by reason."""

    name: str
    asked: tuple[Asked, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.asked:
            raise InputError(f"{self.name}: nothing to ask: {_told(self.left_out) or 'it has no rows'}")
        name, times = Counter(one.id for one in self.asked).most_common(1)[0]
        if times > 1:
            raise InputError(f"{self.name}: the id {name!r} stands {times} times; give each row its own")

    @property
    def kind(self) -> Kind:
        """Whether these are turns of episodes or prompts for stories."""
        return kind_of_asked(self.asked)


def kind_of_asked(asked: Sequence[Asked]) -> Kind:
    """Return whether these are turns of episodes or prompts for stories.

    Raises:
        InputError: both.
    """
    turns = sum(isinstance(one, Turn) for one in asked)
    if turns not in (0, len(asked)):
        raise InputError(f"{turns} turns and {len(asked) - turns} prompts for stories: evaluate them apart")
    return "turns" if turns else "stories"


def load_data(source: str | Path, split: str = "test", limit: int | None = None) -> Data:
    """Read what a policy is to be asked.

    Args:
        source: ``storyworld`` (generated turns) or ``storyworld-stories`` (its outlines); a JSONL file or a data set of
            the hub with prompts for stories: ``prompt`` and, if you like, ``id``, ``words`` (or ``target_word_count``),
            ``group``, ``reference``, ``human_reference`` and ``metadata``; or what `judgekit.episodes.read_turns`
            reads, a data set of the hub among it.
        split: of the storyworld (train, test) or of a data set of the hub.
        limit: the first so many only.

    Raises:
        InputError: it cannot be read, holds nothing, or an id stands twice.
    """
    name = Path(source).name if Path(source).exists() else str(source)
    if str(source) == STORYWORLD:
        return Data(name, tuple(WORLD.turns(limit or ASKED, cast(Any, split))))
    if str(source) == STORIES:
        return Data(name, tuple(story_prompts(limit or ASKED, cast(Any, split))))
    if _is_prompts(Path(source)):
        check(source, story_prompt_of)
        return Data(name, tuple(read(source, story_prompt_of))[:limit])
    if not Path(source).suffix:
        return _of_hub(str(source), split, limit)
    loaded = read_turns(source, split)
    return Data(name, loaded.turns[:limit], loaded.left_out)


def story_prompts(n: int, split: Split = "train", flawed: float = 0.0) -> list[StoryPrompt]:
    """Return n prompts of the storyworld, each with a story to learn or to inject; its first k do not depend on n.

    Outlines are drawn again and again, so that one may stand several times, with another story; they are the groups.

    Args:
        flawed: the share of the stories that are of any length and have one or two of the world's flaws.

    Raises:
        InputError: no such split.
    """
    if split not in get_args(Split):
        raise InputError(f"split={split!r}: choose one of {', '.join(get_args(Split))}")
    return [_story_prompt(f"{split}-{i}", split, flawed) for i in range(n)]


def _story_prompt(name: str, split: Split, flawed: float) -> StoryPrompt:
    dice = Dice("prompt", name)
    outline, bad = dice.pick(outlines(split)), dice.chance(flawed)
    flaws = dice.pick_many(FLAWS, dice.between(1, 2)) if bad else ()
    story = tell(outline, flaws, sentences=dice.between(*(FLAWED if bad else SENTENCES)), baited=False, dice=dice)
    return StoryPrompt(name, outline.prompt, group=outline.id, human_reference=story.text)


def _of_hub(name: str, split: str, limit: int | None) -> Data:
    """Read prompts for stories, or turns where the columns are those of turns, from a data set of the hub."""
    rows = rows_of(name, split)
    first = next(rows, (0, {}))
    if "prompt" not in first[1] or TURN_COLUMNS & set(first[1]):
        loaded = read_turns(name, split)
        return Data(name, loaded.turns[:limit], loaded.left_out)
    found = [_placed(name, line, row) for line, row in islice(chain([first], rows), limit)]
    return Data(name, tuple(found))


def _placed(name: str, line: int, row: Row) -> StoryPrompt:
    try:
        return story_prompt_of(row, line)
    except InputError as problem:
        raise InputError.at(name, line, str(problem)) from None


def _is_prompts(path: Path) -> bool:
    if path.suffix.lower() != ".jsonl" or not path.is_file():
        return False
    _, first = next(read_rows(path), (0, {}))
    return "prompt" in first and not TURN_COLUMNS & set(first)


def story_prompt_of(row: Row, line: int) -> StoryPrompt:
    """Build a prompt for a story from a row.

    Raises:
        InputError: a field is missing or of the wrong type.
    """
    texts = {name: row.get(name) for name in ("group", "reference", "human_reference")}
    for name, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise InputError(f"{name} must be a text, not {kind_of(text)}")
    about = texts["group"] or "", texts["reference"], metadata_of(row), texts["human_reference"]
    return StoryPrompt(id_of(row, line), prompt_of(row), _words(row), *about)


def _words(row: Row) -> int | None:
    given = [(name, row[name]) for name in WORDS if row.get(name) is not None]
    for name, value in given:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} must be a whole number of 1 or more, not {kind_of(value)}")
    if len({value for _, value in given}) > 1:
        raise InputError(f"{' and '.join(WORDS)} ask for different lengths")
    return given[0][1] if given else None


def _told(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{count} x {reason}" for reason, count in counts.items())
