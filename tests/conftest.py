"""What many tests need: a tiny real model, and warnings of other people's code kept out of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

settings.register_profile("unhurried", deadline=None)  # seconds say nothing on a machine that is busy
settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random Qwen3, saved and loaded as a real one would be."""
    from judgekit.models.tiny import save_tiny_model

    prompts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "rubrics" / "prompts").glob("*.txt"))]
    return save_tiny_model(tmp_path_factory.mktemp("tiny"), prompts, vocabulary=600)
