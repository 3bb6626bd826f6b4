"""The processes of a distributed run, as far as a reward has to know: groups may lie across them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """This process among all that share a batch."""

    rank: int = 0
    count: int = 1

    @classmethod
    def current(cls) -> Ranks:
        """Return those of `torch.distributed`, where it was begun; nothing is imported to find out."""
        torch: Any = sys.modules.get("torch")
        if torch is None or not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return cls()
        return cls(torch.distributed.get_rank(), torch.distributed.get_world_size())

    def gather(self, mine: T) -> list[T]:
        """Return what every process gave, in the order of their ranks. All of them have to call it."""
        if self.count == 1:
            return [mine]
        found: list[Any] = [None] * self.count
        sys.modules["torch"].distributed.all_gather_object(found, mine)
        return found
