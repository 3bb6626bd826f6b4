"""``judgekit policy train`` with rollouts that are given, since processes sample each in their own way.

python training_two.py RECIPE OUT         or under torch.distributed.run
"""

from __future__ import annotations

import sys
from typing import Any

WORDS = "the lamp went out and Ada took a key to it before the night"


def given(trainer: Any, place: int) -> list[int]:
    """Return the tokens of a rollout by its place among those of all processes, and by the step."""
    words = WORDS.split()
    length = 1 + (5 * place + 3 * trainer.state.global_step) % 7
    text = " ".join(words[(place * i + trainer.state.global_step) % len(words)] for i in range(length))
    return [*trainer._tokenizer(text)["input_ids"], trainer._tokenizer.eos_token_id]


def main(recipe: str, out: str) -> None:
    from judgekit import cli
    from judgekit.training.trainer import ShapingTrainer

    def sampled(self: Any, prompt_ids: Any, *args: Any, **kwargs: Any) -> Any:
        first = self.accelerator.process_index * len(prompt_ids)
        return [given(self, first + i) for i in range(len(prompt_ids))], None

    ShapingTrainer._generate_single_turn = sampled  # type: ignore[method-assign]
    sys.argv = ["judgekit", "policy", "train", recipe, "--out", out, "--json"]
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
