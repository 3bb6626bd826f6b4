"""What verl's own code makes of our rewards, as JSON: python of_verl.py FOLDER TOKENIZER.

Of verl run: how it loads a reward file, its reward managers and the worker around them, the scoring in its agent loop,
the batching of the colocated loop, the sessions of its default trainer, advantages, and the figures of a validation.
Stood in for are ray (a remote call is a call), the queue (a list), and the engine (a session says its text).
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from absent import stand_in
from seen import SEEN

FOLDER, TOKENIZER = sys.argv[1:]
FILE = str(Path(__file__).parent / "reward_file.py")
CHAT = [{"role": "user", "content": "write"}]
TEXTS = ["fail 1", "0.7 1", "0.1 0"]
LOOP = asyncio.new_event_loop()
asyncio.set_event_loop(LOOP)


class Queue(ModuleType):
    """The transfer queue: what was put into it, and how the groups ended."""

    BatchMeta = KVBatchMeta = object

    def __init__(self) -> None:
        super().__init__("transfer_queue")
        self.rows: dict[str, Any] = {}
        self.ends: dict[str, str] = {}

    async def async_kv_put(self, key: str, partition_id: str, tag: dict[str, str]) -> None:
        self.ends[key] = tag["status"]

    async def async_kv_batch_put(self, keys: list[str], fields: Any, tags: Any, partition_id: str) -> None:
        self.rows |= {key: fields[i] for i, key in enumerate(keys)}


sys.path.append(FOLDER)
QUEUE = sys.modules["transfer_queue"] = Queue()
stand_in("ray", "aiohttp", "hydra", "cachetools", "torchdata", "PIL", "fastapi")

from omegaconf import OmegaConf  # noqa: E402
from tensordict import TensorDict  # noqa: E402
from verl import DataProto  # noqa: E402
from verl.experimental.agent_loop import agent_loop  # noqa: E402
from verl.experimental.reward_loop import RewardLoopManager, RewardLoopWorker, reward_loop  # noqa: E402
from verl.trainer.ppo import core_algos  # noqa: E402
from verl.trainer.ppo.metric_utils import process_validation_metrics  # noqa: E402
from verl.trainer.ppo.reward import resolve_reward_manager_cls  # noqa: E402
from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopWorkerTQ  # noqa: E402
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer, ReplayBufferAsync  # noqa: E402
from verl.trainer.ppo.v1.utils import compute_advantage_for_multi_trajectories  # noqa: E402
from verl.utils import tensordict_utils  # noqa: E402
from verl.workers.reward_manager.naive import NaiveRewardManager as Legacy  # noqa: E402


def config(manager: str = "naive", function: str = "compute_score") -> Any:
    """Return a config with what is looked at here; a manager with a capital letter is the file's own."""
    own = {"source": "importlib" if manager[0].isupper() else "register", "name": manager, "module": {"path": FILE}}
    custom = {"path": FILE, "name": function, "reward_kwargs": {}}
    reward = {"custom_reward_function": custom, "reward_manager": own, "reward_model": {"enable": False}}
    return OmegaConf.create(
        {
            "reward": {**reward, "num_workers": 1},
            "actor_rollout_ref": {
                "model": {"path": TOKENIZER, "tokenizer_path": None},
                "rollout": {"n": 4, "val_kwargs": {"n": 1}},
            },
            "data": {},
            "trainer": {"experiment_name": "x"},
        }
    )


class Worker:
    """A worker as ray shows it, in this process; ``sparse``: it leaves keys without a value out."""

    def __init__(self, settings: Any, *, sparse: bool = False) -> None:
        self.worker, self.sparse = RewardLoopWorker(settings), sparse
        self.compute_score = SimpleNamespace(remote=self.worker.compute_score)
        self.compute_score_batch = SimpleNamespace(remote=self.batch)

    def batch(self, data: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = LOOP.run_until_complete(self.worker.compute_score_batch(data))
        for one in found if self.sparse else []:
            info = one["reward_extra_info"]
            one["reward_extra_info"] = {key: value for key, value in info.items() if value is not None}
        return found


def row(**more: Any) -> dict[str, Any]:
    about = {"data_source": "d", "reward_model": {"ground_truth": "truth"}, "raw_prompt": CHAT}
    return {**about, "extra_info": {"prompt": "p", "level": 3}, **more}


def looping(cls: type, worker: Worker) -> Any:
    """Return one of verl's agent loop workers with what its scoring looks at."""
    found = object.__new__(cls)
    vars(found).update(
        reward_loop_worker_handles=[worker],
        config=worker.worker.config,
        tokenizer=worker.worker.input_tokenizer,
        background_tasks=set(),
        **dict.fromkeys(["processor", "mm_processor_kwargs", "llm_client", "hf_model_type", "dataset_cls"]),
        distillation_enabled=False,
        tools=[],
    )
    return found


def said(tokenizer: Any, text: str) -> Any:
    tokens = tokenizer.encode(text)
    return agent_loop.AgentLoopOutput(
        prompt_ids=tokenizer.encode("write"),
        response_ids=tokens,
        response_mask=[1] * len(tokens),
        metrics=agent_loop.AgentLoopMetrics(),
        num_turns=2,
    )


def scored(manager: str, function: str = "compute_score") -> list[Any]:
    """Return what the agent loop finds for each text: score and keys, or what was raised."""
    loop = looping(agent_loop.AgentLoopWorker, Worker(config(manager, function)))

    async def one(text: str) -> list[Any]:
        output = said(loop.tokenizer, text)
        await loop._compute_score([output], row())
        return [output.reward_score, output.extra_fields["reward_extra_info"]]

    async def all_() -> list[Any]:
        return await asyncio.gather(*map(one, TEXTS), return_exceptions=True)

    return [told(found) for found in LOOP.run_until_complete(all_())]


def told(found: Any) -> Any:
    return f"{type(found).__name__}: {found}" if isinstance(found, BaseException) else found


def raised(function: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return function(*arguments, **named)
    except Exception as error:
        return told(error)


def batch(texts: list[str], tokenizer: Any) -> Any:
    """Return a batch as the trainers hand it to the colocated loop: left prompts, right responses, padded."""
    responses = [torch.tensor(tokenizer.encode(text)) for text in texts]
    padded = torch.nn.utils.rnn.pad_sequence(responses, batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in responses], batch_first=True)
    prompts = torch.ones(len(texts), 2, dtype=torch.int64)
    tensors = {"prompts": prompts, "responses": padded, "attention_mask": torch.cat([prompts, mask], 1)}
    rows = [row() for _ in texts]
    columns = {name: np.empty(len(texts), dtype=object) for name in rows[0]}
    for i, one in enumerate(rows):
        for name, value in one.items():
            columns[name][i] = value
    return DataProto(TensorDict(tensors, batch_size=len(texts)), columns)


def colocated(manager: str, *, sparse: bool = False, texts: list[str] = TEXTS) -> dict[str, Any]:
    """Return the scores of each token, and the keys side by side as they are written back."""
    settings = config(manager)
    worker = Worker(settings, sparse=sparse)
    loop = object.__new__(RewardLoopManager)
    vars(loop).update(config=settings, reward_model_manager=None, reward_loop_workers=[worker])
    loop.reward_manager_cls = resolve_reward_manager_cls(settings)
    reward_loop.ray.get = list
    found = loop.compute_rm_score(batch(texts, worker.worker.input_tokenizer))
    keys = {key: found.non_tensor_batch[key] for key in found.meta_info["reward_extra_keys"]}
    tensordict_utils.get_tensordict({"rm_scores": found.batch["rm_scores"], **keys})
    return {"rm_scores": found.batch["rm_scores"].tolist(), **{key: values.tolist() for key, values in keys.items()}}


def sessions(function: str, texts: list[str]) -> dict[str, Any]:
    """Run a prompt's sessions as the default trainer does, each saying a text; return what reaches the queue."""
    loop = looping(AgentLoopWorkerTQ, Worker(config("naive", function)))

    class Saying:
        async def run(self, sampling_params: Any, session_id: int, **_: Any) -> Any:
            return said(loop.tokenizer, texts[session_id])

    agent_loop._agent_loop_registry["saying"] = {}
    agent_loop.hydra.utils = SimpleNamespace(instantiate=lambda **_: Saying())
    QUEUE.rows, QUEUE.ends = {}, {}
    place = {"step": 0, "sample_index": 0, "rollout_n": 0, "validate": False}
    asked = row(uid="u", agent_name="saying", global_steps=0)
    LOOP.run_until_complete(loop._run_prompt(asked, {}, trajectory=place))
    return {"end": QUEUE.ends["u"], "keys": list(QUEUE.rows), **advantages(core_algos.AdvantageEstimator.GRPO)}


def advantages(estimator: Any, **settings: Any) -> dict[str, Any]:
    """Return the advantages of what is in the queue, as the default trainer's `_compute_advantage` asks for them."""
    rows, keys = list(QUEUE.rows.values()), list(QUEUE.rows)
    pad = torch.nn.utils.rnn.pad_sequence
    data = DataProto(
        TensorDict(
            {
                "token_level_rewards": pad([one["rm_scores"] for one in rows], batch_first=True),
                "response_mask": pad([one["response_mask"] for one in rows], batch_first=True),
            },
            batch_size=len(rows),
        ),
        {"uid": np.array(["u"] * len(rows), dtype=object)},
    )
    found = raised(compute_advantage_for_multi_trajectories, data, keys, estimator, config=settings)
    return {"advantages": found if isinstance(found, str) else found.batch["advantages"][:, 0].tolist()}


def gdpo(keys: dict[str, list[Any]]) -> Any:
    """Return GDPO's advantages of two groups of three one-token responses, in the trainer before the default one."""
    ones = torch.ones(6, 1)
    found = raised(
        core_algos.compute_gdpo_outcome_advantage,
        ones,
        ones,
        np.array(["u"] * 3 + ["v"] * 3),
        config={"gdpo_reward_keys": ["judge", "format"]},
        non_tensor_batch={key: np.array(values) for key, values in keys.items()},
        batch={"prompts": torch.ones(6, 2), "attention_mask": torch.ones(6, 3, dtype=torch.int64)},
    )
    return found if isinstance(found, str) else found[0][:, 0].tolist()


def validated(values: list[float | None]) -> dict[str, float]:
    found = process_validation_metrics(["d"] * len(values), ["u"] * len(values), {"judge": values})
    return dict(found["d"]["judge"])


def legacy() -> Any:
    """Return what the managers before the reward loop make of a coroutine; nothing in this verl calls them."""
    worker = RewardLoopWorker(config())
    manager = Legacy(worker.input_tokenizer, 0, worker.reward_manager.compute_score)
    return raised(manager, batch(TEXTS, worker.input_tokenizer))


def sampled(cls: type) -> dict[str, list[str]]:
    """Return which groups a trainer's buffer trains on, and which it throws away, where one has a failed session."""
    buffer = object.__new__(cls)
    ended = {"finished_keys": {"train": {"whole"}}, "failure_keys": {"train": {"u"}}}
    off = dict.fromkeys(["sync_refill_failed_groups", "filter_groups_metric", "max_off_policy_threshold"])
    rows = {"train": {"u_0_0": {}, "whole_0_0": {}}}
    vars(buffer).update(**ended, **off, partitions=rows, prompt_global_steps={"train": {}})
    reasons = buffer._terminal_eviction_reasons(0, "train")
    return {"trained": sorted(buffer._sampleable_terminal_keys("train", reasons)), "thrown": sorted(reasons[2])}


def shown(manager: str) -> list[Any]:
    del SEEN[:]
    scored(manager)
    it = next(rollout for rollout in SEEN if rollout.completion == TEXTS[1])
    return [it.prompt, it.sample.reference, it.columns["level"], it.columns["data_source"]]


def main() -> None:
    names = ["naive", "dapo", "gdpo", "rate_limited", "Stories"]
    found = {
        "managers": {name: scored(name) for name in names},
        "strict": {name: scored(name, "strict") for name in ("naive", "rate_limited")},
        "remote": raised(scored, "remote"),
        "legacy": legacy(),
        "colocated": {name: colocated(name) for name in ("naive", "Stories")},
        "sparse": {
            text: raised(colocated, "naive", sparse=True, texts=[text, "0.7 1", "fail 1"]) for text in TEXTS[:2]
        },
        "sessions": {
            name: sessions(name, ["0.7 1", "0.8 1", "fail 1", "0.75 1"]) for name in ("strict", "compute_score")
        },
        "buffers": {cls.__name__: sampled(cls) for cls in (ReplayBuffer, ReplayBufferAsync)},
        "shown": {name: shown(name) for name in ("naive", "Stories")},
        "v1_gdpo": advantages(core_algos.AdvantageEstimator.GDPO, gdpo_reward_keys=["judge"])["advantages"],
        "gdpo": {
            what: gdpo({"judge": [0.7, 0.8, value, 1.0, 2.0, 3.0], "format": [1.0] * 6})
            for what, value in (("None", None), ("NaN", float("nan")), ("number", 0.75))
        },
        "gdpo_without": gdpo({"format": [1.0] * 6}),
        "validation": {"None": validated([0.7, None, 0.9]), "NaN": validated([0.7, float("nan"), 0.9])},
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
