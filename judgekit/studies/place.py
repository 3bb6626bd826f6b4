"""Where the data of a study are."""

from __future__ import annotations

from pathlib import Path

from judgekit.errors import InputError, require

HUB = "hf://datasets/"


def data_folder(where: str | Path) -> Path:
    """Return the folder that a path means, or a data set of the Hugging Face hub: ``hf://datasets/owner/name``.

    What the hub has is downloaded once and kept in its own cache.

    Raises:
        InputError: no such folder, or the hub does not give the data set.
        MissingExtraError: a data set of the hub, and huggingface_hub is not installed.
    """
    if not str(where).startswith(HUB):
        if not Path(where).is_dir():
            raise InputError(f"{where}: no such folder; for a data set of the Hugging Face hub write {HUB}owner/name")
        return Path(where)
    hub, problems = require("huggingface_hub", "train"), require("huggingface_hub.errors", "train")
    name = str(where).removeprefix(HUB)
    try:
        return Path(hub.snapshot_download(name, repo_type="dataset"))
    except (OSError, problems.HfHubHTTPError, problems.LocalEntryNotFoundError, problems.HFValidationError) as problem:
        raise InputError(f"{where}: {problem}") from None
