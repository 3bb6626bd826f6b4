"""TRL's GRPO trainer with human references in its groups (see `judgekit.policy.injection`).

Five private methods of TRL 1.16 are extended, none is copied. Only imported when training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch

from judgekit.errors import ConfigError, InputError, nearest
from judgekit.policy.injection import NAN, ReferenceInjection, Standings, continuing, standings
from judgekit.training.shaping import Shaping
from judgekit.training.trainer import ShapingTrainer

NO_SHAPING = Shaping()
COUNTED = ("groups", "injected", "missing", "too long")


class InjectingTrainer(ShapingTrainer):
    """GRPO in which a reference takes the place of the last rollout of its group, while training and once ``w > 0``.

    - It is decoded and judged as any rollout; reward functions are called once for all. A reward that compares the
      rollouts of a group (diversity, tournaments, ``normalize: group``) sees it as one of them.
    - Mean and deviation are those of the policy's own rollouts, whose advantages are those of a group without it, and
      so are TRL's own figures of rewards. TRL's figures of lengths and entropy, and ``kl``, have it among the others.
    - Its advantage is ``w * A_ref``, with ``w`` as it was when the group was sampled.
    - The loss is on all its tokens. Its ratio is exactly 1 in every update, also where a group serves several: it was
      sampled from no earlier policy that it could be held against. So nothing of it is clipped, and its gradient is
      ``w * A_ref * grad log pi`` under the trainer's normalisation. The KL term and the entropy bonus leave it out.
    - A row without a reference, or with one that has more tokens than ``max_completion_length`` (end of text included),
      has a plain group. Both are counted, in the log and in ``left_out``.
    - Entropy shaping (``kind: entropy``) ranks and weighs the policy's own rollouts alone.
    - A reference without an advantage (unscored, or beside none that is scored) takes no part in the loss.

    Logged under ``injection/``: ``weight``; of all groups the share that has a reference (``groups``), none
    (``missing``) or one that is ``too_long``; ``unscored``: share of the references that have no advantage;
    ``reference_minus_policy``, ``wins`` (over the whole group) and ``advantage`` (times ``w``): means over the other
    references; ``loss_policy`` and ``loss_reference``, which add up to the loss less its KL term and entropy bonus.

    Attributes:
        left_out: groups without a reference since the trainer was made, by reason, over all processes.
    """

    def __init__(self, *args: Any, injection: ReferenceInjection, shaping: Shaping = NO_SHAPING, **kwargs: Any) -> None:
        self._injection, self._weight = injection, 0.0
        self._rows: Sequence[Any] = ()
        self._tokens: dict[int, list[int]] = {}  # by place among this process' rows: the references in this batch
        self._in_loss: dict[str, Any] | None = None
        self.left_out: Counter[str] = Counter()
        super().__init__(*args, shaping=shaping, **kwargs)
        self._check()

    def _check(self) -> None:
        """Refuse what would make the promises above untrue."""
        refused = [
            ("a rollout_func", self.rollout_func, "it makes the rollouts by itself"),
            ("tools and environments", self.tools or self.environment_factories, "a reference calls none"),
            ("normalize_then_sum", self.multi_objective_aggregation == "normalize_then_sum", "weigh channels instead"),
            ("top_entropy_quantile", self.top_entropy_quantile < 1, "it leaves tokens out of the loss"),
            ("remove_unused_columns", self.args.remove_unused_columns, "it removes the references"),
            ("UCAS and entropy_reward", self._shaping.kind in ("ucas", "entropy_reward"), "shape by 'entropy'"),
            ("num_generations below 3", self.num_generations < 3, "one rollout of the policy has no deviation"),
        ]
        for name, asked, why in refused:
            if asked:
                raise ConfigError(f"reference injection does not go with {name}: {why}")
        column, columns = self._injection.column, getattr(self.train_dataset, "column_names", None)
        if columns is not None and column not in columns:
            raise InputError(f"the dataset has no column {column!r} of references{nearest(column, columns, 'it has')}")

    def _generate_single_turn(self, prompt_ids: Any, *args: Any, **kwargs: Any) -> Any:
        """Sample whole groups, as without references: every other rollout is then the same as without them."""
        training = self.model.training
        completion_ids, logprobs = super()._generate_single_turn(prompt_ids, *args, **kwargs)
        if not training:
            return completion_ids, logprobs
        self._tokens = self._references(prompt_ids)
        completion_ids = [self._tokens.get(i, ids) for i, ids in enumerate(completion_ids)]
        if logprobs is not None:  # vLLM's; it has not sampled the reference, and TRL makes None a ratio of 1
            logprobs = [[None] * len(self._tokens[i]) if i in self._tokens else own for i, own in enumerate(logprobs)]
        return completion_ids, logprobs

    def _references(self, prompt_ids: Sequence[Sequence[int]]) -> dict[int, list[int]]:
        """Return the tokens of this process' references by their place, the last of a group, and count groups."""
        first, found, counts = self.accelerator.process_index * len(self._rows), {}, Counter[str]()
        for i, (row, prompt) in enumerate(zip(self._rows, prompt_ids, strict=True)):
            if (first + i + 1) % self.num_generations:
                continue
            tokens = self._reference(row.get(self._injection.column), prompt)
            long = bool(tokens) and len(tokens) > (self.max_completion_length or len(tokens))
            counts["groups"] += 1
            counts["missing"] += not tokens
            counts["too long"] += long
            if tokens and not long and self._weight:
                found[i] = tokens
        self._count(counts + Counter(injected=len(found)))
        return found

    def _reference(self, text: Any, prompt: Sequence[int]) -> list[int]:
        """Return a reference's tokens, end of text included; none where there is no text."""
        if text is not None and not isinstance(text, str):
            raise InputError(f"column {self._injection.column!r}: a reference is a text, not {type(text).__name__}")
        if text is None or not text.strip():
            return []
        text = continuing(self._tokenizer.decode(prompt[-8:]), text)
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens if tokens[-1] in self.eos_token_ids else [*tokens, self._tokenizer.eos_token_id]

    def _count(self, counts: Counter[str]) -> None:
        own = torch.tensor([[counts[name] for name in COUNTED]], device=self.accelerator.device)
        groups, injected, missing, long = self.accelerator.gather(own).sum(0).tolist()
        self.left_out.update({"missing": missing, "too long": long})
        self._log_injection("groups", injected / groups)
        self._log_injection("missing", missing / groups)
        self._log_injection("too_long", long / groups)

    def _calculate_rewards(self, inputs: Any, *args: Any) -> Any:
        """Return the rewards of all processes, shape (rollouts, functions), with none for references.

        TRL leaves out what has no reward: of the mean and deviation of the others, and of its figures of rewards.
        """
        own = [self.model.training and i in self._tokens for i in range(len(inputs))]
        self._log_completion_extra("injected", own)
        rewards = super()._calculate_rewards(inputs, *args)
        if not self.model.training:
            return rewards
        self._rewards, self._injected = rewards, self.accelerator.gather(torch.tensor(own, device=rewards.device))
        return rewards.masked_fill(self._injected[:, None], NAN)

    def _sampled(self, replies: Any) -> Any:
        return ~self._injected

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        if not self.model.training:
            return super()._generate_and_score_completions(inputs)
        self._rows, self._weight = inputs, self._injection.at(self.state.global_step)
        output = super()._generate_and_score_completions(inputs)
        total = (self._rewards * self.reward_weights.to(self._rewards)).nansum(1)
        total = total.masked_fill(self._rewards.isnan().all(1), NAN)
        found = standings(total, self._injected, self.num_generations, self.scale_rewards)
        advantages = (self._weight * found.advantage).repeat_interleave(self.num_generations)
        own = slice(self.accelerator.process_index * len(inputs), (self.accelerator.process_index + 1) * len(inputs))
        output["injected"] = self._injected[own]
        output["advantages"] = output["advantages"].where(~output["injected"], advantages[own].nan_to_num())
        self._leave_idle_out(output, self._injected & advantages.isnan(), own)
        self._complete_logs(advantages.nan_to_num())
        self._log_standings(found)
        return output

    def _leave_idle_out(self, output: Any, idle: Any, own: slice) -> None:
        """Take references without an advantage out of the loss: their tokens would count in its denominator."""
        if idle.any():  # every process sees the same
            output["completion_mask"] = output["completion_mask"] * ~idle[own][:, None]
            output["num_items_in_batch"] = self.accelerator.gather(output["completion_mask"].sum()).sum()

    def _complete_logs(self, advantages: Any) -> None:
        """Put the references' rewards and advantages into TRL's table of rollouts, where they are still missing."""
        columns = {name: self._rewards[:, i] for i, name in enumerate(self.reward_func_names)}
        logs = [(self._logs["rewards"][name], values) for name, values in columns.items()]
        for log, values in [*logs, (self._logs["advantages"], advantages)]:
            start = len(log) - len(values)
            for i in self._injected.nonzero().flatten().tolist():
                log[start + i] = float(values[i])

    def _log_standings(self, found: Standings) -> None:
        self._log_injection("weight", self._weight)
        injected = self._injected.view(-1, self.num_generations)[:, -1]
        self._log_injection("unscored", found.lead[injected].isnan().float().mean())
        self._log_injection("reference_minus_policy", found.lead.nanmean())
        self._log_injection("wins", found.wins.nanmean())
        self._log_injection("advantage", self._weight * found.advantage.nanmean())

    def _compute_loss(self, model: Any, inputs: Any) -> Any:
        if not self.model.training:
            return super()._compute_loss(model, inputs)
        inputs = {**inputs, "advantages": inputs["advantages"].detach().requires_grad_()}
        self._in_loss = inputs
        try:
            loss = super()._compute_loss(model, inputs)
        finally:
            self._in_loss = None
        self._log_parts(loss, inputs["advantages"], inputs["injected"])
        return loss

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        """Let the old policy of a reference, and the one it is kept near to, be the present one; the loss asks next.

        So the ratio is exactly 1, and the KL term 0 with a gradient of 0.
        """
        logps, entropies, *more = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        if self._in_loss is not None:
            injected = self._in_loss["injected"][:, None]
            for name in {"old_per_token_logps", "ref_per_token_logps"} & self._in_loss.keys():
                self._in_loss[name] = logps.detach().where(injected, self._in_loss[name])
            entropies = entropies.detach().where(injected, entropies)
        return logps, entropies, *more

    def _log_parts(self, loss: Any, advantages: Any, injected: Any) -> None:
        """Log what the policy's rows and the references add to the loss.

        Every loss of TRL is homogeneous in the advantages, token by token, but for the KL term and the entropy bonus,
        which have none in them: by Euler, a row's part is its advantage times the loss' derivative by it.
        """
        (slope,) = torch.autograd.grad(loss, advantages, retain_graph=True)
        part = (slope * advantages).detach() * self.current_gradient_accumulation_steps  # a log is a mean over these
        sums = torch.stack([part[~injected].sum(), part[injected].sum()])
        policy, reference = self.accelerator.reduce(sums, reduction="mean").tolist()
        self._log_injection("loss_policy", policy)
        self._log_injection("loss_reference", reference)

    def _log_injection(self, name: str, value: Any) -> None:
        self._metrics["train"][f"injection/{name}"].append(float(value))
