"""The file that ms-swift's ``--external_plugins`` names."""

from __future__ import annotations

from reward_file import AsyncStory, Story
from swift.rewards import orms

orms["story"], orms["async_story"] = Story, AsyncStory
