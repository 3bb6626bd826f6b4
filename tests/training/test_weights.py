from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from judgekit.errors import ConfigError
from judgekit.training.arguments import arguments
from judgekit.training.weights import newest_checkpoint


def checkpoint(folder: Path, step: int) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    save_file({"w": torch.ones(10)}, path / "model.safetensors")
    with zipfile.ZipFile(path / "optimizer.pt", "w") as archive:
        archive.writestr("data", "x" * 100)
    (path / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return path


def test_the_newest_whole_checkpoint_is_found(tmp_path: Path) -> None:
    for step in (5, 20, 100):
        checkpoint(tmp_path, step)
    (tmp_path / "checkpoint-old").mkdir()

    assert newest_checkpoint(tmp_path) == (tmp_path / "checkpoint-100", [])
    assert newest_checkpoint(tmp_path / "elsewhere") == (None, [])


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "trainer_state.json"])
@pytest.mark.parametrize("left", [0, 6, -3])
def test_a_checkpoint_that_is_cut_short_is_passed_over(tmp_path: Path, name: str, left: int) -> None:
    checkpoint(tmp_path, 10)
    broken = checkpoint(tmp_path, 20)
    whole = (broken / name).read_bytes()
    (broken / name).write_bytes(whole[:left])

    assert newest_checkpoint(tmp_path) == (tmp_path / "checkpoint-10", [broken])


def test_a_checkpoint_without_its_last_file_is_not_whole(tmp_path: Path) -> None:
    (checkpoint(tmp_path, 10) / "trainer_state.json").unlink()

    assert newest_checkpoint(tmp_path)[0] is None


def test_trls_own_fields_stand_in_a_recipe(tmp_path: Path) -> None:
    from trl import SFTConfig

    config = arguments(SFTConfig, {"learning_rate": "5e-6", "max_steps": 7}, tmp_path, seed=3)

    assert (config.learning_rate, config.max_steps, config.seed, config.data_seed) == (5e-6, 7, 3, 3)
    assert config.output_dir == str(tmp_path)
    assert config.report_to == []
    if not torch.cuda.is_available():
        assert (config.bf16, config.use_cpu) == (False, True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"learning_rat": 1e-3}, "trl.learning_rat is no field of SFTConfig; did you mean 'learning_rate'"),
        ({"learning_rate": "fast"}, "trl.learning_rate: .*got 'fast'"),
        ({"max_steps": 2.5}, "trl.max_steps: .*got 2.5"),
        ({"output_dir": "x"}, "trl.output_dir is decided by the stage itself"),
        ({"lr_scheduler_type": "zigzag"}, "zigzag"),
    ],
)
def test_a_field_that_cannot_be_is_refused(tmp_path: Path, given: dict[str, object], message: str) -> None:
    from trl import SFTConfig

    with pytest.raises(ConfigError, match=message):
        arguments(SFTConfig, given, tmp_path, seed=0)
