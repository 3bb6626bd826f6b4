"""What OpenRLHF's own code makes of our reward, as JSON: python of_openrlhf.py FOLDER TOKENIZER.

Of OpenRLHF run: how it loads a reward file and calls it for a response, what it makes an experience of, and how it puts
experiences together and takes them apart. Stood in for is the engine, which says given texts.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from absent import stand_in
from seen import SEEN

FOLDER, TOKENIZER = sys.argv[1:]
FILE = str(Path(__file__).parent / "reward_file.py")
PROMPT = "<|im_start|>write<|im_end|>"
TEXTS = ["0.75 1", "fail 1", "boom 1", "0.25 0"]

sys.path.append(FOLDER)
stand_in("ray", "aiohttp", "vllm", "deepspeed", "flash_attn", "torchdata", "pylatexenc")

from openrlhf.trainer.ppo_utils.experience import (  # noqa: E402
    Experience,
    make_experience_batch,
    split_experience_batch,
)
from openrlhf.trainer.ppo_utils.samples_generator import SamplesGenerator  # noqa: E402
from openrlhf.utils.agent import SingleTurnAgentExecutor  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

TOKENS = AutoTokenizer.from_pretrained(TOKENIZER)


class Engine:
    """Says a text, and the token that ends a turn."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKENS.encode(f"{text}<|im_end|>")

    async def generate(self, *_: Any, **__: Any) -> Any:
        said = SimpleNamespace(token_ids=self.tokens, finish_reason="stop", logprobs=None)
        return SimpleNamespace(outputs=[said])


async def responses(executor: Any, texts: list[str], room: int = 512) -> list[dict[str, Any]]:
    """Return what the executor makes of each text; prompts are cut to what ``room`` leaves them."""
    sampling = SimpleNamespace(max_tokens=64, logprobs=None)
    return await asyncio.gather(
        *(executor.execute(PROMPT, "truth", sampling, room, TOKENS, Engine(text)) for text in texts)
    )


def experiences(found: list[dict[str, Any]]) -> list[Any]:
    return [SamplesGenerator._process_response_into_experience(None, one) for one in found]


def batched(found: list[Any]) -> dict[str, Any]:
    """Return the experiences put together, taken apart and put together again, as training does."""
    whole = Experience.concat_experiences(found, 0)
    again = make_experience_batch(split_experience_batch(whole))
    info = {key: [float(value) for value in values] for key, values in again.info.items()}
    return {"rewards": again.rewards.tolist(), "scores": again.scores.tolist(), "info": info}


def raised(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def without(key: str) -> Any:
    """Return what becomes of a batch in which one response's logs lack a key."""
    executor = SingleTurnAgentExecutor(FILE)
    found = experiences(asyncio.run(responses(executor, TEXTS)))
    del found[1].info[key]
    return raised(batched, found)


def main() -> None:
    executor = SingleTurnAgentExecutor(FILE)
    whole = asyncio.run(responses(executor, TEXTS))
    shown = next(rollout for rollout in SEEN if rollout.completion == TEXTS[0])
    failing = SingleTurnAgentExecutor(FILE)
    failing.reward_func = lambda *_: 1 / 0
    lost = asyncio.run(responses(failing, TEXTS[:1]))
    found = {
        "batch": batched(experiences(whole)),
        "shown": [shown.prompt, shown.completion, shown.sample.reference],
        "cut": [one["reward"] for one in asyncio.run(responses(executor, TEXTS[:1], room=66))],
        "raising": [one["reward"] for one in lost],
        "raising_last": raised(batched, experiences([*whole, *lost])),
        "raising_first": raised(batched, experiences([*lost, *whole])),
        "without_a_key": without("judge"),
        "none": raised(experiences, [{**whole[0], "extra_logs": {"judge": None}}]),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
