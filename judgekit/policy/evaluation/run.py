"""A policy asked, its responses judged and measured, into one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from judgekit.episodes.world import WORDS
from judgekit.errors import InputError
from judgekit.files import writable
from judgekit.judges import Judge
from judgekit.models import Decoding, Model
from judgekit.policy.asked import STORYWORLD, Data
from judgekit.policy.evaluation import diversity, plays, responses, scoring
from judgekit.policy.evaluation.episodebench import BAND, Band
from judgekit.policy.evaluation.filling import Progress, silent
from judgekit.policy.evaluation.folder import Evaluation, Settings
from judgekit.policy.evaluation.polaris import BUCKETS


def evaluate(
    model: Model,
    data: Data,
    folder: str | Path,
    *,
    decoding: Decoding,
    k: int,
    judge: Judge | None = None,
    play: int = 0,
    band: Band | None = None,
    buckets: Sequence[int] | None = None,
    size: int = 16,
    progress: Progress = silent,
) -> Evaluation:
    """Evaluate a policy. What a killed run has written into the folder is not made again.

    Args:
        model: as `judgekit.policy.evaluation.open_policy` opens it.
        k: responses to each prompt.
        judge: scores each response.
        play: how many stories of the storyworld are played; of that data alone.
        band: lowest and highest effective length of a turn; the data's own without it.
        buckets: upper ends of the lengths asked for, by which stories are grouped; POLARIS' without them.
        size: prompts in a batch.

    Raises:
        InputError: settings that do not go together, or a folder that holds the evaluation of something else.
    """
    folder, buckets = Path(folder), BUCKETS if buckets is None else buckets
    band = band or (WORDS if data.name == STORYWORLD else BAND)
    check(data, judge, play, band, buckets)
    settings = Settings(
        kind=data.kind,
        data=data.name,
        left_out=dict(data.left_out),
        model=model.identity,
        decoding=decoding,
        k=k,
        band=band,
        buckets=tuple(buckets),
        judge=None if judge is None else scoring.judged_by(judge),
        encoder=diversity.encoder() if data.kind == "turns" and k > 1 else None,
        stories=play,
    )
    writable(folder)
    _fill(model, data, folder, settings, judge, size, progress)
    return Evaluation.read(folder, settings)


def check(
    data: Data, judge: Judge | None, play: int, band: Band | None = None, buckets: Sequence[int] = BUCKETS
) -> None:
    """Refuse before the first response what could only fail after the last.

    Raises:
        InputError: settings that do not go together, or a judge that only compares.
    """
    if judge is not None:
        judge.score([])
    if play and data.name != STORYWORLD:
        raise InputError("only the storyworld has a player for its stories: play goes with its data")
    if band is not None and not 0 <= band[0] <= band[1]:
        raise InputError(f"a length goes from 0 or more to no less than that, not from {band[0]:g} to {band[1]:g}")
    if not buckets or min(buckets) < 1 or list(buckets) != sorted(set(buckets)):
        raise InputError(f"the ends of buckets rise, from 1 or more: not {', '.join(map(str, buckets)) or 'none'}")


def _fill(
    model: Model, data: Data, folder: Path, settings: Settings, judge: Judge | None, size: int, progress: Progress
) -> None:
    how = settings.decoding
    responded = responses.respond(model, data, folder / responses.FILE, how, settings.k, size, progress)
    if settings.stories:
        plays.play(model, settings.stories, folder / plays.FILE, how, progress=progress)
    if settings.encoder is not None:
        diversity.measure_all(responded, folder / diversity.FILE, progress=progress)
    if judge is not None:
        scoring.score_all(judge, responded, folder / scoring.FILE, progress=progress)
