"""Where the data of a study are."""

from __future__ import annotations

from pathlib import Path

import pytest

from judgekit.errors import InputError
from judgekit.studies.place import data_folder


def test_a_path_is_itself(tmp_path: Path) -> None:
    assert data_folder(tmp_path) == data_folder(str(tmp_path)) == tmp_path


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder; for a data set of the Hugging Face hub write hf://datasets/"):
        data_folder(tmp_path / "absent")


def test_what_the_hub_keeps_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache as the hub's client lays it out; without a network, what is not there is an error that says so."""
    constants = pytest.importorskip("huggingface_hub.constants")
    cache = tmp_path / "datasets--owner--name"
    (cache / "snapshots" / "abc").mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    assert data_folder("hf://datasets/owner/name") == cache / "snapshots" / "abc"
    with pytest.raises(InputError, match="hf://datasets/owner/other"):
        data_folder("hf://datasets/owner/other")
    with pytest.raises(InputError, match="hf://datasets/not a name"):
        data_folder("hf://datasets/not a name")
