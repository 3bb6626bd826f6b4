"""NeMo-Gym: the body of a resources server's ``verify``.

How a missing reward is said: ``_ng_failure_class: "judge_failed"`` with the reason, by which Gym keeps the row out of
its figures and tries it again on resume, and ``mask_sample``, by which NeMo-RL leaves it out of the loss where its
environment allows that. The reward that the protocol wants there is 0.0, and still enters the group's mean in NeMo-RL.

Gym asks for one rollout at a time, so channels that look at the group are refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from judgekit.errors import InputError
from judgekit.integrations.answers import in_thread, reason, single_rollouts
from judgekit.rewards import CompositeReward, Rewards, Rollout


def verify(reward: CompositeReward) -> Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]:
    """Return ``async f(body) -> dict``: a verify request, as a dict, with ``reward`` and what it is made of.

    ``reward_components`` holds each channel's part, its weight included, and they add up to the reward. What else the
    row has beside ``responses_create_params`` and ``response`` is the rollout's columns.

    Raises:
        InputError: the reward needs the group.
    """
    single_rollouts(reward, "NeMo-Gym")

    async def verified(body: Mapping[str, Any]) -> dict[str, Any]:
        found = await in_thread(reward.score, [_rollout(body)])
        return {**body, **_verdict(found)}

    return verified


def _verdict(found: Rewards) -> dict[str, Any]:
    parts = {name: part[0] or 0.0 for name, part in found.parts.items()}
    answer: dict[str, Any] = {"reward": sum(parts.values()), "reward_components": parts}
    if not (why := reason(found, 0)):
        return answer
    nothing = {"reward": 0.0, "reward_components": dict.fromkeys(parts, 0.0), "mask_sample": True}
    kind = {"failure_kind": "judge_failed", "failure_reason": why}
    return {**nothing, **kind, "_ng_failure_class": "judge_failed", "_ng_failure_judge_error": why}


def _rollout(body: Mapping[str, Any]) -> Rollout:
    own = ("responses_create_params", "response")
    columns = {name: value for name, value in body.items() if name not in own}
    asked = body["responses_create_params"]["input"]
    prompt = asked if isinstance(asked, str) else [_message(turn) for turn in asked]
    return Rollout(prompt, _answer(body["response"]["output"]), "", columns)


def _answer(output: Sequence[Mapping[str, Any]]) -> str:
    """Return what the assistant said last, empty where it said nothing (calls of tools alone)."""
    if strange := [item for item in output if "type" not in item]:
        raise InputError(f"an item of response.output has no type, so what it is cannot be told: {strange[0]!r:.80}")
    said = [item for item in output if item["type"] == "message" and item.get("role") == "assistant"]
    return _message(said[-1])["content"] if said else ""


def _message(turn: Mapping[str, Any]) -> Any:
    content = turn.get("content") or ""
    text = content if isinstance(content, str) else "".join(part.get("text") or "" for part in content)
    return {"role": str(turn.get("role", turn.get("type"))), "content": text}
