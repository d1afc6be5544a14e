"""Log probabilities of tokens under the model's own distribution, as reported beside the text."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedTokenizerBase

from models.engine.detokenize import Detokenizer, token_text
from models.engine.events import TokenLogprob


def describe_token(
    tokenizer: PreTrainedTokenizerBase, logits: torch.Tensor, token: int, num_top: int, offset: int
) -> TokenLogprob:
    """`token` under raw `logits` [vocab], with the `num_top` likeliest tokens beside it."""
    logprobs = torch.log_softmax(logits.float(), -1)
    values, ids = logprobs.topk(min(num_top, logprobs.numel()))
    top = tuple((token_text(tokenizer, i), v) for i, v in zip(ids.tolist(), values.tolist(), strict=True))
    return TokenLogprob(token_text(tokenizer, token), offset, float(logprobs[token]), top)


def describe_prompt(
    tokenizer: PreTrainedTokenizerBase, logits: torch.Tensor, ids: Sequence[int], num_top: int
) -> tuple[TokenLogprob, ...]:
    """Every token of a prompt; `logits` [len(ids), vocab] at position i predict token i + 1."""
    text = Detokenizer(tokenizer, skip_special=False)
    text.push(ids[0])
    described = [TokenLogprob(token_text(tokenizer, ids[0]), 0, None)]
    for i, token in enumerate(ids[1:]):
        described.append(describe_token(tokenizer, logits[i], token, num_top, text.num_chars))
        text.push(token)
    return tuple(described)
