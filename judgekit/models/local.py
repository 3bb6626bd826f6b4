"""A transformers model in this process: written replies, and scores read off the probabilities of the menu."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import ModelError, require
from judgekit.models.base import Decoding, Model, Question, Readout, Reply, Request
from judgekit.models.control import Control
from judgekit.models.menu import Menu, Tokens
from judgekit.models.sampling import Draws
from judgekit.models.tree import PrefixTree, Row, batches
from judgekit.models.weights import commit, fingerprint, quiet, resolved, whole
from judgekit.types import Message, Usage

LONGEST_ANSWER = 8  # tokens kept free behind the prompt of a read-out


class LocalConfig(Config):
    """``provider: local`` in a judge.yaml.

    Attributes:
        path: folder of the model, or a hub id (then give ``revision`` to pin it). Weights must be safetensors.
        adapter: folder of a LoRA adapter (PEFT) to put on top.
        thinking: whether the chat template opens a thinking block, where it can.
        batch_tokens: tokens, padding and new ones included, that one batch may hold.
        trust_remote_code: run code that the model brings along. Off unless you say so: it is somebody else's program.
    """

    provider: Literal["local"]
    path: str
    revision: str | None = None
    adapter: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    thinking: bool = False
    batch_tokens: Annotated[int, Field(ge=1)] = 32_768
    trust_remote_code: bool = False

    def build(self) -> LocalModel:
        return LocalModel(self)


@dataclass
class LocalModel(Model):
    """A causal language model with a chat template, loaded on first use."""

    config: LocalConfig
    _heads: dict[tuple[str, tuple[str, ...]], tuple[str, Menu]] = field(default_factory=dict, repr=False)

    @property
    def identity(self) -> dict[str, Any]:
        base = self.config.model_dump(include={"provider", "dtype", "thinking"})
        weights = fingerprint(self.config.path, self.revision)
        adapter = fingerprint(self.config.adapter) if self.config.adapter else None
        return {**base, "weights": weights, "adapter": adapter}

    @property
    def settings(self) -> dict[str, Any]:
        pinned = {"revision": self.revision} if self.revision else {}
        return {**self.config.model_dump(exclude_none=True), **resolved(self.config, "path", "adapter"), **pinned}

    # --- loading ----------------------------------------------------------------------------------------------

    @cached_property
    def revision(self) -> str | None:
        """The hub's commit that is loaded; None for a folder."""
        return commit(self.config.path, self.config.revision, trust_remote_code=self.config.trust_remote_code)

    @cached_property
    def device(self) -> Any:
        """Where the model runs: as configured, else a GPU when there is one."""
        torch = require("torch", "train")
        if self.config.device != "auto":
            return torch.device(self.config.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer, which must bring a chat template.

        Raises:
            ModelError: it cannot be loaded, or has no chat template.
        """
        tokenizer = self._load("AutoTokenizer", padding_side="left")
        if not tokenizer.chat_template:
            raise ModelError(f"{self.config.path}: the tokenizer has no chat template; save one with the model")
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token_id = tokenizer.eos_token_id
        return tokenizer

    @cached_property
    def model(self) -> Any:
        """The network, in evaluation mode on its device."""
        torch = require("torch", "train")
        dtype = self.config.dtype if self.config.dtype == "auto" else getattr(torch, self.config.dtype)
        model = self._load("AutoModelForCausalLM", dtype=dtype, use_safetensors=True)
        if self.config.adapter:
            if not (Path(self.config.adapter) / "adapter_model.safetensors").is_file():
                raise ModelError(f"{self.config.adapter}: no adapter_model.safetensors; other formats are not read")
            peft = require("peft", "train")
            with whole(self.config.adapter):
                model = peft.PeftModel.from_pretrained(model, self.config.adapter).merge_and_unload()
        return model.to(self.device).eval()

    @cached_property
    def tree(self) -> PrefixTree:
        """What reads logits off this model."""
        return PrefixTree(self.model, self.device, self.tokenizer.pad_token_id, self.config.batch_tokens)

    @cached_property
    def context(self) -> int:
        """How many tokens the model can take, prompt and reply together."""
        config = self._load("AutoConfig").get_text_config()
        return int(getattr(config, "max_position_embeddings", 1 << 30))

    @cached_property
    def turn_end(self) -> str:
        """What the chat template writes after a reply, up to the token that ends the turn.

        Raises:
            ModelError: the template ends no turn.
        """
        mark = "judgekit-reply"
        chat = [{"role": "user", "content": "x"}, {"role": "assistant", "content": mark}]
        after = str(self.tokenizer.apply_chat_template(chat, tokenize=False)).rpartition(mark)[2]
        for i, token in enumerate(tokens := self.tokens([after])[0]):
            if token in self._stops:
                return str(self.tokenizer.decode(tokens[: i + 1]))
        raise ModelError(f"{self.config.path}: the chat template ends a reply with none of the model's end tokens")

    def _load(self, kind: str, **arguments: Any) -> Any:
        transformers = require("transformers", "train")
        quiet()
        with whole(self.config.path):
            return getattr(transformers, kind).from_pretrained(
                self.config.path,
                revision=self.revision,
                trust_remote_code=self.config.trust_remote_code,
                **arguments,
            )

    # --- prompts ----------------------------------------------------------------------------------------------

    @cached_property
    def _control(self) -> Control:
        return Control(self.tokenizer)

    def text(self, messages: Sequence[Message]) -> str:
        """Return the messages in the model's chat format, ready for its turn, with no control token in their texts.

        Raises:
            ModelError: the chat template refuses them.
        """
        jinja = require("jinja2", "train")
        chat = self.plain(messages)
        try:
            return self._render(chat)
        except jinja.TemplateError:  # some templates know no system role: its text goes before the user's
            texts = [message["content"] for message in chat]
        try:
            return self._render([{"role": "user", "content": "\n\n".join(texts)}])
        except jinja.TemplateError as problem:
            raise ModelError(f"{self.config.path}: the chat template refuses the prompt: {problem}") from None

    def plain(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages with no control token in their texts, for who writes them in the chat format himself."""
        return [{"role": m["role"], "content": self._control.broken(m["content"])} for m in messages]

    def _render(self, chat: Sequence[Message]) -> str:
        how = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": self.config.thinking}
        return str(self.tokenizer.apply_chat_template(chat, **how))

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of texts that are in the chat format already."""
        if not texts:
            return []
        return list(self.tokenizer(list(texts), add_special_tokens=False)["input_ids"])

    # --- written replies --------------------------------------------------------------------------------------

    def complete(self, requests: Sequence[Request], decoding: Decoding) -> Iterator[tuple[int, Reply]]:
        prompts = self.tokens([self.text(request.messages) for request in requests])
        room = self.context - decoding.max_tokens
        for index, prompt in enumerate(prompts):
            if len(prompt) > room:
                yield index, Reply(None, _too_long(len(prompt), room))
        fitting = sorted((i for i, p in enumerate(prompts) if len(p) <= room), key=lambda i: len(prompts[i]))
        for batch in batches(fitting, prompts, decoding.max_tokens, self.config.batch_tokens):
            replies = self._write([requests[i] for i in batch], [prompts[i] for i in batch], decoding)
            yield from zip(batch, replies, strict=True)

    def _write(self, requests: list[Request], prompts: list[list[int]], decoding: Decoding) -> list[Reply]:
        torch, transformers = require("torch", "train"), require("transformers", "train")
        inputs = self.tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(self.device)
        # A configuration of our own: a model's may bring penalties and filters that nobody here asked for.
        how = transformers.GenerationConfig(
            max_new_tokens=decoding.max_tokens,
            do_sample=False,
            eos_token_id=sorted(self._stops),
            pad_token_id=self.tokenizer.pad_token_id,
        )
        draws = [Draws(requests, decoding)] if decoding.temperature > 0 else []
        with torch.inference_mode():
            rows = self.model.generate(**inputs, generation_config=how, logits_processor=draws)
        width = inputs["input_ids"].shape[1]
        return [self.reply(row[width:].tolist(), len(prompt)) for row, prompt in zip(rows, prompts, strict=True)]

    def reply(self, tokens: list[int], prompt_length: int) -> Reply:
        """Return what was written, from the tokens after the prompt; an error where the turn never ended."""
        ends = [i for i, token in enumerate(tokens) if token in self._stops]
        used = Usage(1, 0, prompt_length, ends[0] + 1 if ends else len(tokens))
        if not ends:
            return Reply(None, f"cut off after {len(tokens)} tokens; raise max_tokens", used)
        return Reply(self.tokenizer.decode(tokens[: ends[0]], skip_special_tokens=False), usage=used)

    @cached_property
    def _generation(self) -> Any:
        """How the model ends its turn: its own generation settings, else its configuration."""
        try:
            return self._load("GenerationConfig")
        except ModelError:  # a folder without that file
            return self._load("AutoConfig").get_text_config()

    @cached_property
    def _stops(self) -> set[int]:
        ends = self._generation.eos_token_id
        known = ends if isinstance(ends, list) else [ends]
        return {token for token in (*known, self.tokenizer.eos_token_id) if token is not None}

    # --- read-out ---------------------------------------------------------------------------------------------

    def read_out(self, questions: Sequence[Question]) -> Iterator[tuple[int, Readout]]:
        """Yield the probabilities of the answers, renormalised over the menu.

        A question costs one position of the network, plus one for each point at which longer answers
        part ("1" and "10"); see `judgekit.models.menu.Menu`.
        """
        heads = [self._head(question) for question in questions]
        texts = [self._begun(q.messages) + lead for q, (lead, _) in zip(questions, heads, strict=True)]
        contexts = self.tokens(texts)
        room = self.context - LONGEST_ANSWER
        menus = {i: heads[i][1] for i, context in enumerate(contexts) if len(context) <= room}
        for index, context in enumerate(contexts):
            if index not in menus:
                yield index, Readout(None, _too_long(len(context), room))
        asked = [(i, prefix, wanted) for i, menu in menus.items() for prefix, wanted in menu.branches.items()]
        logits = self.tree.logits([Row((*contexts[i], *prefix), wanted) for i, prefix, wanted in asked])
        found: dict[int, dict[Tokens, Any]] = {index: {} for index in menus}
        for (index, prefix, _), row in zip(asked, logits, strict=True):
            found[index][prefix] = row
        for index, menu in menus.items():
            usage = Usage(1, 0, len(contexts[index]), 0)
            yield index, Readout(menu.probabilities(found[index]), usage=usage)

    def _begun(self, messages: Sequence[Message]) -> str:
        """Return the prompt as `text`, with a thinking block that the template opens closed: the answer comes next."""
        text = self.text(messages)
        return f"{text.rstrip()}\n\n</think>\n\n" if text.rstrip().endswith("<think>") else text

    def _head(self, question: Question) -> tuple[str, Menu]:
        """Return how the reply begins, and its menu in tokens.

        Some tokenizers make one token of a space and the word after it. The lead must end where a token ends, so its
        last space moves to the answers if they swallow it.
        """
        known = self._heads.get((question.lead, question.answers))
        if known is None:
            moved = tuple(f" {answer}" for answer in question.answers)
            menu = self._menu(question.lead, question.answers)
            lead = question.lead if menu else question.lead.rstrip()
            menu = menu or self._menu(lead, moved)
            if menu is None:
                raise ModelError(f"the tokenizer merges {question.lead!r} with its answers {question.answers!r}")
            known = self._heads[question.lead, question.answers] = (lead, menu)
        return known

    def _menu(self, lead: str, answers: tuple[str, ...]) -> Menu | None:
        before, *whole = self.tokens([lead, *(lead + answer for answer in answers)])
        if any(tokens[: len(before)] != before for tokens in whole):
            return None
        return Menu(tuple(tuple(tokens[len(before) :]) for tokens in whole), tuple(sorted(self._stops)))


def _too_long(tokens: int, room: int) -> str:
    return f"the prompt has {tokens} tokens; the model has room for {room}"
