"""A policy asked, its responses judged and measured, into one folder."""

from __future__ import annotations

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
        size: prompts in a batch.

    Raises:
        InputError: settings that do not go together, or a folder that holds the evaluation of something else.
    """
    folder = Path(folder)
    _check(data, judge, play)
    writable(folder)
    far = diversity.encoder() if data.kind == "turns" and k > 1 else None
    responded = responses.respond(model, data, folder / responses.FILE, decoding, k, size, progress)
    if play:
        plays.play(model, play, folder / plays.FILE, decoding, progress=progress)
    if far:
        diversity.measure_all(responded, folder / diversity.FILE, progress=progress)
    if judge is not None:
        scoring.score_all(judge, responded, folder / scoring.FILE, progress=progress)
    settings = Settings(
        kind=data.kind,
        data=data.name,
        left_out=dict(data.left_out),
        model=model.identity,
        decoding=decoding,
        k=k,
        band=band or (WORDS if data.name == STORYWORLD else BAND),
        judge=None if judge is None else scoring.judged_by(judge),
        encoder=far,
        stories=play,
    )
    return Evaluation.read(folder, settings)


def _check(data: Data, judge: Judge | None, play: int) -> None:
    """Refuse before the first response what could only fail after the last."""
    if play and data.name != STORYWORLD:
        raise InputError("only the storyworld has a player for its stories: play goes with its data")
    if judge is not None:
        judge.score([])  # one that only compares says so
