"""A tiny Qwen3 with random weights and its own tokenizer: the real code path, without a download.

For tests, benchmarks and demonstrations. It has learnt nothing; its verdicts mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from judgekit.errors import require
from judgekit.models.weights import quiet

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
THOUGHTS = ["<think>", "</think>"]
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *THOUGHTS]


def save_tiny_model(
    folder: str | Path,
    texts: Iterable[str],
    *,
    layers: int = 2,
    width: int = 64,
    vocabulary: int = 1024,
    context: int = 8192,
    seed: int = 0,
) -> Path:
    """Write a Qwen3 of a few hundred thousand random weights, with a byte-level BPE tokenizer trained on ``texts``."""
    torch, transformers = require("torch", "train"), require("transformers", "train")
    folder = Path(folder)
    tokenizer = _tokenizer(texts, vocabulary)
    tokenizer.save_pretrained(folder)
    config = transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=width // 2,
        max_position_embeddings=context,
        initializer_range=0.06,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    quiet()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.Qwen3ForCausalLM(config)
        _look_for_the_same(model)
        model.save_pretrained(folder)
    return folder


def _look_for_the_same(model) -> None:  # type: ignore[no-untyped-def]
    """Let one head of each group begin as one that attends to its own word where that stands elsewhere.

    Its queries and keys start equal. To tell whether two words are the same, which every check of a judge needs, is
    what a small model otherwise learns last.
    """
    for layer in model.model.layers:
        attention = layer.self_attn
        width, shared = attention.head_dim, attention.num_key_value_groups
        queries = attention.q_proj.weight.data.view(-1, shared * width, attention.q_proj.in_features)
        attention.k_proj.weight.data.copy_(queries[:, :width].reshape(attention.k_proj.weight.shape))


def _tokenizer(texts: Iterable[str], vocabulary: int):  # type: ignore[no-untyped-def]
    tokenizers, transformers = require("tokenizers", "train"), require("transformers", "train")
    core = tokenizers.Tokenizer(tokenizers.models.BPE())
    # Words keep their punctuation: fewer tokens, and a sentence begins right behind the last word of the one before.
    split = tokenizers.pre_tokenizers
    words = split.Split(tokenizers.Regex(r"\n|[^\S\n]?[^\s]+|[^\S\n]+"), "isolated")
    core.pre_tokenizer = split.Sequence(
        [words, split.Digits(individual_digits=True), split.ByteLevel(False, use_regex=False)]
    )
    core.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=CONTROL,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=_with_thoughts(core), eos_token=CONTROL[2], pad_token=CONTROL[0], chat_template=CHAT_TEMPLATE
    )


def _with_thoughts(core: Any) -> Any:
    """Let the marks of reasoning be text that decoding keeps, as they are in Qwen3's tokenizer."""
    state = json.loads(core.to_str())
    for token in state["added_tokens"]:
        token["special"] = token["content"] not in THOUGHTS
    return type(core).from_str(json.dumps(state))
