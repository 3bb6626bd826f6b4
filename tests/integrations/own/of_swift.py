"""What ms-swift's own code makes of our reward, as JSON: python of_swift.py FOLDER.

Of ms-swift run: how it imports a plugin, finds a reward by its name, calls it with its samples, and makes advantages of
what it gave. Stood in for are modelscope, pictures and the engine.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from absent import stand_in
from seen import SEEN

[FOLDER] = sys.argv[1:]
PLUGIN = Path(__file__).parent / "swift_plugin.py"
TEXTS = ["0.7 1", "fail 1", "0.4 0", "0.1 0"]

sys.path.append(FOLDER)
stand_in("modelscope", "vllm", "PIL", "msgspec", "fastapi", "aiohttp")

import modelscope.hub.utils.utils  # noqa: E402
import modelscope.utils.logger  # noqa: E402

LOG = logging.getLogger("swift")
LOG.addHandler(logging.StreamHandler())
modelscope.utils.logger.get_logger = lambda *_, **__: LOG
modelscope.hub.utils.utils.get_cache_dir = tempfile.gettempdir

import torch  # noqa: E402
from swift.rl_core.advantage import compute_advantages  # noqa: E402
from swift.rl_core.data import GRPOSample  # noqa: E402
from swift.rl_core.grpo_algorithm import score_completions  # noqa: E402
from swift.rlhf_trainers.utils import resolve_reward_funcs  # noqa: E402
from swift.utils import import_external_file  # noqa: E402


def samples() -> list[Any]:
    """Return a group, its last two equal in all but their request."""
    return [
        GRPOSample(
            messages=[{"role": "user", "content": "write"}, {"role": "assistant", "content": text}],
            prompt_id="p",
            request_id=f"request {i}",
            extra={"reference": "truth"},
        )
        for i, text in enumerate([*TEXTS, TEXTS[-1]])
    ]


def advantages(*functions: Any) -> list[float]:
    found = score_completions(samples(), list(functions), [None] * len(functions), False, torch.device("cpu"))
    return compute_advantages(found, torch.ones(len(functions)), 5, scale_rewards="none")[0].tolist()


def main() -> None:
    import_external_file(str(PLUGIN))
    functions, names = resolve_reward_funcs(["story", "async_story"])
    found = {"names": names, "story": advantages(functions[0]), "shown": len(SEEN)}
    rollout = SEEN[0]
    found |= {
        "async_story": advantages(functions[1]),
        "none": advantages(lambda completions, **_: [1.2, None, 0.4, 0.1, 0.1]),
        "saw": [rollout.prompt, rollout.completion, rollout.sample.reference, sorted(rollout.columns)],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
