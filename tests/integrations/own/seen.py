"""What the judge of `reward_file` was shown: that file is loaded under many names, this one under its own."""

from __future__ import annotations

from typing import Any

SEEN: list[Any] = []
