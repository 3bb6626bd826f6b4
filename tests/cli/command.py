"""What a run of the command line came to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """What ``--json`` printed."""
        return json.loads(self.stdout)


Call = Callable[..., Outcome]
