"""Incremental decoding gives the text of decoding all at once, in whole characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from models.engine.checkpoint import Checkpoint
from models.engine.detokenize import Detokenizer, decode, token_bytes, token_of, token_text
from tests.models.tiny import encode


def stream(checkpoint: Checkpoint, ids: list[int], prompt: list[int] | None = None) -> list[str]:
    text = Detokenizer(checkpoint.tokenizer, prompt or [])
    return [*(text.push(i) for i in ids), text.flush()]


def test_the_stream_is_the_text_for_any_text(llama: Checkpoint) -> None:
    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd")))
    def check(text: str) -> None:
        pieces = stream(llama, list(encode(llama, text)))
        assert "".join(pieces) == decode(llama.tokenizer, encode(llama, text))
        assert not any("\ufffd" in piece for piece in pieces)

    check()


def test_the_stream_is_the_text_for_any_tokens(llama: Checkpoint) -> None:
    @given(st.lists(st.integers(0, llama.vocab_size - 1), max_size=30))
    def check(ids: list[int]) -> None:
        assert "".join(stream(llama, ids)) == decode(llama.tokenizer, ids)

    check()


def test_a_character_begun_by_a_prompt_of_ids_is_shown_when_it_is_whole(llama: Checkpoint) -> None:
    ids = list(encode(llama, "a年b"))
    assert len(ids) == 5, "the character must be split into its bytes"
    assert stream(llama, ids[3:], prompt=ids[:3]) == ["年", "b", ""]
    assert stream(llama, ids[2:], prompt=ids[:2]) == ["", "年", "b", ""]
    assert Detokenizer(llama.tokenizer, ids[:3]).flush() == ""


def test_tokens_are_named_by_their_text_or_their_bytes(llama: Checkpoint) -> None:
    assert token_text(llama.tokenizer, encode(llama, " dragon")[0]) == " dragon"
    assert token_text(llama.tokenizer, 3) == "<|end|>"
    assert [token_text(llama.tokenizer, i) for i in encode(llama, "年")] == [
        r"bytes:\xe5",
        r"bytes:\xb9",
        r"bytes:\xb4",
    ]


def sentencepiece() -> PreTrainedTokenizerFast:
    """As Llama's first tokenizers: a letter for a space, and bytes for what the vocabulary lacks."""
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", "\u2581dragon", "dr", "agon", "é"]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, [], byte_fallback=True))
    steps = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", clean_up_tokenization_spaces=False)


def test_a_token_is_found_by_its_text_and_gives_its_bytes(llama: Checkpoint) -> None:
    pieces = sentencepiece()
    for tokenizer in (llama.tokenizer, pieces):
        dragon = token_of(tokenizer, " dragon")
        assert dragon is not None
        assert token_bytes(tokenizer, dragon) == b" dragon"
        assert token_of(tokenizer, "no such token") is None
    found = token_of(pieces, "é")
    assert found is not None
    assert token_bytes(pieces, found) == "é".encode()
    assert [token_bytes(llama.tokenizer, i) for i in encode(llama, "年")] == [b"\xe5", b"\xb9", b"\xb4"]
    assert token_bytes(pieces, pieces.convert_tokens_to_ids("<0xE5>")) == b"\xe5"
