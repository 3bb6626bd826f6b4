"""What human references in the groups of GRPO do to a small policy: with them against without, all else equal.

The recipe ``storyworld-stories``: a Qwen3 of two layers from nothing learns to tell stories from a set of which half
are flawed, and is then paid for true quality, length and little repetition. With injection a sound story is the last of
each group of eight; without, the eighth is the policy's own. Both begin with the same weights, and see the same prompts
in the same order.

Quality is the true one (`judgekit.storyworld.read`), 0 to 1, of two stories to each held-out outline. Intervals, 95 %,
are of whole outlines resampled over all seeds: they say how sure the figure is for these runs. Three seeds say little
about others, so each seed's difference stands beside. The level is the reward that the poorer of the two has in the end
(mean of the last three steps); a run is there once the mean of three steps in a row is. TRL's reward leaves the
references out::

    python -m benchmarks.policy_references --seeds 3 --json
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from judgekit.calibration import Bootstrap, Estimate
from judgekit.models import Decoding
from judgekit.models.base import Request
from judgekit.models.local import LocalConfig
from judgekit.policy.evaluation.policy import LocalPolicy
from judgekit.policy.recipe import PolicyRecipe
from judgekit.policy.training import PolicyTraining
from judgekit.storyworld import outlines, read

DRAWS, OVER = 2, 3  # stories to an outline; steps that a reward is averaged over
DECODING = Decoding(temperature=1.0, max_tokens=96)


def recipe_of(seed: int, steps: int, imitation: int, *, injected: bool) -> PolicyRecipe:
    recipe, _ = PolicyRecipe.load("storyworld-stories")
    told = recipe.model_dump(exclude_unset=True, by_alias=True) | {"seed": seed, "evaluation": None}
    told["sft"]["trl"] |= {"max_steps": imitation, "save_strategy": "no"}
    told["grpo"]["trl"] |= {"max_steps": steps, "logging_steps": 1, "save_strategy": "no"}
    for stage in ("sft", "grpo"):
        told[stage]["trl"].pop("save_steps", None)
    if not injected:
        told["grpo"]["references"] = None
    return PolicyRecipe.model_validate(told)


def qualities(policy: LocalConfig) -> list[float]:
    """Return the true quality of each story, outline by outline, with the same draws for every policy."""
    told = [(outline, draw) for outline in outlines("test") for draw in range(DRAWS)]
    asked = [Request([{"role": "user", "content": o.prompt}], o.id, draw) for o, draw in told]
    replies = dict(LocalPolicy(policy).complete(asked, DECODING))
    return [read(outline, replies[i].text or "").quality for i, (outline, _) in enumerate(told)]


def run(seed: int, folder: Path, steps: int, imitation: int) -> dict[str, Any]:
    """Train both from one start; return qualities, curves of the reward, and seconds."""
    _, home = PolicyRecipe.load("storyworld-stories")
    begin = time.perf_counter()
    start = PolicyTraining(folder / "start", recipe_of(seed, steps, imitation, injected=True), home).sft
    assert start is not None
    found: dict[str, Any] = {"seed": seed, "before": qualities(start.model), "curves": {}, "step_seconds": {}}
    for name in ("with", "without"):
        shutil.copytree(folder / "start", folder / name)
        recipe = recipe_of(seed, steps, imitation, injected=name == "with")
        stage = PolicyTraining(folder / name, recipe, home).grpo
        rows = [row for row in stage.curve if "reward" in row]
        found[name] = qualities(stage.model)
        found["curves"][name] = [round(row["reward"], 4) for row in rows]
        found["step_seconds"][name] = round(fmean(row["step_time"] for row in rows), 2)
    return found | {"seconds": round(time.perf_counter() - begin)}


def smooth(curve: Sequence[float]) -> list[float]:
    return [fmean(curve[i : i + OVER]) for i in range(len(curve) - OVER + 1)]


def steps_to_level(curves: dict[str, list[float]]) -> dict[str, int | None]:
    """Return the last of the first three steps in a row whose mean reward is the level."""
    means = {name: smooth(curve) for name, curve in curves.items()}
    level = min(curve[-1] for curve in means.values())
    return {n: next((i + OVER for i, v in enumerate(m) if v >= level), None) for n, m in means.items()}


def estimate(found: Sequence[dict[str, Any]], *names: str) -> Estimate:
    """Estimate the mean quality, or the mean difference of two, over seeds, outlines and draws."""
    units = [outline.id for _ in found for outline in outlines("test") for _ in range(DRAWS)]
    values = [[value for one in found for value in one[name]] for name in names]
    paired = values[0] if len(names) == 1 else [a - b for a, b in zip(*values, strict=True)]
    return Bootstrap().mean(paired, units)


def line(found: Estimate) -> list[float]:
    return [round(value, 4) for value in (found.value, found.low, found.high)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--imitation", type=int, default=300, help="steps of SFT")
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    found = []
    for seed in range(args.seeds):
        with tempfile.TemporaryDirectory() as folder:
            one = run(seed, Path(folder), args.steps, args.imitation)
        shown = {name: round(fmean(one[name]), 3) for name in ("before", "with", "without")}
        steps = steps_to_level(one["curves"])
        print({"seed": seed, **shown, "steps_to_level": steps, "seconds": one["seconds"]}, flush=True)
        found.append(one)
    result: dict[str, Any] = {name: line(estimate(found, name)) for name in ("before", "with", "without")}
    result["difference"] = line(estimate(found, "with", "without"))
    result["by_seed"] = [line(estimate([one], "with", "without")) for one in found]
    result["steps_to_level"] = [steps_to_level(one["curves"]) for one in found]
    result |= {key: [one[key] for one in found] for key in ("curves", "step_seconds", "seconds")}
    print(json.dumps(result) if args.json else result)


if __name__ == "__main__":
    main()
