"""A tokenizer's control tokens, and how a text is kept from writing them."""

from __future__ import annotations

import re
from typing import Any


class Control:
    """Breaks, by a space, whatever in a text would become a control token of one tokenizer.

    No text of ours needs one, so it could only come from a judged text, whose author would speak as the prompt.
    """

    def __init__(self, tokenizer: Any) -> None:
        tokens = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}
        longest_first = sorted((token for token in tokens if len(token.strip()) > 1), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def broken(self, text: str) -> str:
        """Return the text with its control tokens broken; again and again, since what is left may form another."""
        while self._pattern.search(text):
            text = self._pattern.sub(lambda token: f"{token[0][0]} {token[0][1:]}", text)
        return text
