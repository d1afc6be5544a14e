"""The tokens of a run: a byte-level BPE of its own, or a checkpoint's with the markers that it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AddedToken, AutoConfig, AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from models.engine.story_format import StoryFormat
from models.train.config import TrainConfig
from models.train.documents import Form
from models.train.errors import UnsupportedError, VocabularyError

PAD = "<|pad|>"
MASK = "<|mask|>"
END = "<|endoftext|>"
"""Begins and ends a document of a model from scratch that has no markers."""

_ADDED = "added_rows.json"


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer, how its documents look, and the ids that the checkpoint to go on from has no trained row for."""

    fast: PreTrainedTokenizerBase = field(repr=False)
    form: Form
    added: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.fast)

    @property
    def backend(self) -> Tokenizer:
        """The tokenizer that encodes many texts at once."""
        found: Tokenizer = self.fast.backend_tokenizer
        return found

    def id_of(self, token: str) -> int:
        """The id of a token that must be in the vocabulary; raises `VocabularyError` with its name."""
        found = self.backend.token_to_id(token)
        if found is None:
            raise VocabularyError(f"the tokenizer has no {token}")
        return int(found)

    def save(self, folder: Path) -> None:
        """Writes the files that transformers loads, and what `load_vocabulary` reads besides."""
        self.fast.save_pretrained(folder)
        (folder / _ADDED).write_text(json.dumps(self.added), encoding="utf-8")


def load_vocabulary(config: TrainConfig, folder: Path) -> Vocabulary:
    """What `Vocabulary.save` wrote."""
    fast = AutoTokenizer.from_pretrained(folder)
    added = json.loads((folder / _ADDED).read_text(encoding="utf-8"))
    return Vocabulary(fast, _form(config, fast), tuple(added))


def open_vocabulary(config: TrainConfig) -> Vocabulary | None:
    """The vocabulary of the checkpoint that the run goes on from or names; None where it is to be learned.

    Raises `VocabularyError` where a checkpoint's tokenizer has more tokens than its embedding has rows.
    """
    source = config.init or config.init_from_causal or config.tokenizer
    if source is None:
        return None
    fast = _load_fast(source)
    before = len(fast)
    if not config.is_from_scratch and before > (rows := _num_rows(source)):
        raise VocabularyError(f"the tokenizer of {source} has {before} tokens, and its embedding has {rows} rows")
    _add_specials(fast, config)
    added = () if config.is_from_scratch else tuple(range(before, len(fast)))
    return Vocabulary(fast, _form(config, fast), added)


def learn_vocabulary(config: TrainConfig, texts: Iterable[str]) -> Vocabulary:
    """A byte-level BPE of the run's own; generation ends at the end of a passage."""
    form, end = own_form(config), _own_end(config)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=train_tokenizer(texts, config.model.vocab_size, _own_specials(config)),
        bos_token=StoryFormat().start if config.markers else END,
        eos_token=end,
        pad_token=PAD,
        model_max_length=config.model.context,
        clean_up_tokenization_spaces=False,
        **({"mask_token": MASK, "cls_token": form.begin, "sep_token": end} if config.objective == "masked" else {}),
    )
    return Vocabulary(fast, form)


def own_form(config: TrainConfig) -> Form:
    """How documents look for a vocabulary that is learned from them."""
    if config.objective == "masked":
        return Form(None, StoryFormat().start if config.markers else END, _own_end(config))
    return Form(StoryFormat() if config.markers else None, "", _own_end(config))


def train_tokenizer(texts: Iterable[str], vocab_size: int, specials: list[str]) -> Tokenizer:
    """Learns merges from `texts`; the special tokens never take part in a merge."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _own_end(config: TrainConfig) -> str:
    return StoryFormat().passage_end if config.markers else END


def _own_specials(config: TrainConfig) -> list[str]:
    """The special tokens in the order of their ids."""
    body = StoryFormat().special_tokens if config.markers else [END]
    return [PAD, *body, *([MASK] if config.objective == "masked" else [])]


def _load_fast(source: str) -> PreTrainedTokenizerBase:
    try:
        fast = AutoTokenizer.from_pretrained(source)
    except Exception as error:  # whatever transformers and the hub client raise for a bad or missing checkpoint
        raise UnsupportedError(f"cannot load the tokenizer of {source}: {error}") from error
    if not fast.is_fast:
        raise UnsupportedError(f"the tokenizer of {source} has no fast version, which reading a corpus needs")
    return fast


def _num_rows(source: str) -> int:
    return int(AutoConfig.from_pretrained(source).get_text_config().vocab_size)


def _add_specials(fast: PreTrainedTokenizerBase, config: TrainConfig) -> None:
    """Markers for a causal model that is to have them; the mask for a masked one that has no tokenizer of its own."""
    if config.objective == "causal":
        _add_tokens(fast, StoryFormat().special_tokens if config.markers else [])
    elif config.init is None:
        _add_tokens(fast, [MASK])
        fast.mask_token = MASK
        fast.cls_token, fast.sep_token = fast.bos_token, fast.eos_token
    elif fast.mask_token is None:
        raise UnsupportedError(f"init: {config.init} has no mask token, so it is no masked model")
    if fast.pad_token is None:
        fast.pad_token = fast.eos_token


def _add_tokens(fast: PreTrainedTokenizerBase, tokens: list[str]) -> None:
    missing = [token for token in tokens if fast.backend_tokenizer.token_to_id(token) is None]
    fast.add_tokens([AddedToken(token, special=True, normalized=False) for token in missing], special_tokens=True)


def _form(config: TrainConfig, fast: PreTrainedTokenizerBase) -> Form:
    if config.objective == "masked":
        return Form(None, fast.cls_token or fast.bos_token or "", fast.sep_token or fast.eos_token or "")
    begins = list(fast("")["input_ids"])
    begin = fast.bos_token if fast.bos_token and begins[:1] == [fast.bos_token_id] else ""
    return Form(StoryFormat() if config.markers else None, begin, fast.eos_token or "")
