"""The settings of a training run: every key known, every value checked. `settings` reads them from YAML and flags."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """Frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceConfig(Strict):
    """One file or folder of stories, relative to the data root, and how often it is seen in this phase.

    In a dataset that `talewright data prepare` made, `path` ends in the name of a split. `tags` name the genre or mood
    of stories that don't say theirs.
    """

    path: str
    tags: list[str] = Field(default_factory=list)
    repeat: float = Field(1.0, gt=0, le=20)


class PhaseConfig(Strict):
    """A stretch of training over a mixture of sources, shuffled together. Phases follow one another."""

    sources: list[SourceConfig] = Field(min_length=1)


class ModelConfig(Strict):
    """The shape of a model trained from scratch; with `init`, only `context` has a meaning.

    `architecture` is Llama's for a causal model and ModernBERT's for a masked one where it is left out.
    """

    architecture: Literal["llama", "modernbert", "bert"] | None = None
    vocab_size: int = Field(4096, ge=300, le=1_000_000)
    hidden_size: int = Field(256, ge=8)
    layers: int = Field(6, ge=1)
    heads: int = Field(8, ge=1)
    kv_heads: int = Field(4, ge=1)
    intermediate_size: int = Field(688, ge=8)
    context: int = Field(512, ge=16)

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size is {self.hidden_size}; a multiple of heads ({self.heads}) is wanted")
        if "kv_heads" in self.model_fields_set and self.heads % self.kv_heads:
            raise ValueError(f"heads is {self.heads}; a multiple of kv_heads ({self.kv_heads}) is wanted")
        return self


class OptimiserConfig(Strict):
    """Optimiser and schedule as transformers' Trainer names them.

    `name` is one of transformers' optimisers (`adamw_torch_fused`, `adafactor`, `adamw_bnb_8bit`, …), `schedule` one of
    its schedules, begun by a linear warm-up; `schedule_options` is what some of them need (``{min_lr_rate: 0.1}``).
    """

    name: str = "adamw_torch_fused"
    learning_rate: float = Field(2e-3, gt=0)
    schedule: str = "cosine"
    schedule_options: dict[str, Any] = Field(default_factory=dict)
    warmup_fraction: float = Field(0.04, ge=0, lt=1)
    weight_decay: float = Field(0.1, ge=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.98, gt=0, lt=1)
    max_grad_norm: float = Field(1.0, gt=0)
    batch_size: int = Field(18, ge=1)
    accumulate: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _check_betas(self) -> Self:
        given = sorted({"beta1", "beta2"} & self.model_fields_set)
        if given and not any(part in self.name for part in ("adam", "lion", "ademamix")):
            raise ValueError(f"{given[0]} is for the Adam and Lion kinds, and {self.name} has none")
        return self


class ExampleOptions(Strict):
    """How often each part is shown, and how long passages are; chances are per story (or per passage for hints).

    `plain_chance` is that of a story being shown as plain text and nothing else.
    A hint is the passage's first clause in a share of `clause_share`, else one to four of its content words. A gap's
    document takes up to `max_words_before` words before the gap and up to `max_words_after` behind it.
    """

    title_chance: float = Field(0.6, ge=0, le=1)
    premise_chance: float = Field(0.4, ge=0, le=1)
    tags_chance: float = Field(0.5, ge=0, le=1)
    hint_chance: float = Field(0.5, ge=0, le=1)
    clause_share: float = Field(0.2, ge=0, le=1)
    gap_chance: float = Field(0.3, ge=0, le=1)
    plain_chance: float = Field(0.0, ge=0, le=1)
    min_passage_words: int = Field(30, ge=1)
    max_passage_words: int = Field(110, ge=1)
    max_words_before: int = Field(160, ge=1)
    max_words_after: int = Field(80, ge=1)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.max_passage_words < self.min_passage_words:
            wanted = f"at least min_passage_words ({self.min_passage_words}) is wanted"
            raise ValueError(f"max_passage_words is {self.max_passage_words}; {wanted}")
        return self


class MaskingConfig(Strict):
    """Which words a masked model has to find (BERT's recipe, https://arxiv.org/abs/1810.04805, over whole words).

    A share of each block's tokens, drawn evenly between `rate` and `rate_max`, is chosen by whole words; of these 80 %
    become the mask token, 10 % a random one, 10 % stay. In a share of `span_share` of the blocks the chosen words stand
    side by side, as they do when a passage is written anew.
    """

    rate: float = Field(0.15, ge=0.05, le=0.8)
    rate_max: float = Field(0.30, ge=0.05, le=0.8)
    span_share: float = Field(0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.rate_max < self.rate:
            raise ValueError(f"rate_max is {self.rate_max}; at least rate ({self.rate}) is wanted")
        return self


class LoraConfig(Strict):
    """A low-rank update of a frozen base (https://arxiv.org/abs/2106.09685).

    `base` is what the frozen weights are kept in: `auto` is bfloat16 where `precision` multiplies in it and float32
    elsewhere, `4bit` is QLoRA (https://arxiv.org/abs/2305.14314), for a CUDA GPU with bitsandbytes. `targets` are ends
    of the layers' names; `all-linear` is every linear layer but the output.
    """

    rank: int = Field(16, ge=1, le=1024)
    alpha: float = Field(32.0, gt=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: Literal["all-linear"] | list[str] = "all-linear"
    rank_stabilised: bool = False
    base: Literal["auto", "float32", "bfloat16", "float16", "4bit"] = "auto"


class EarlyStoppingConfig(Strict):
    """Stops after `patience` evaluations in a row whose loss is not at least `min_delta` below the best (in nats)."""

    patience: int = Field(3, ge=1)
    min_delta: float = Field(0.0, ge=0)


class ExportConfig(Strict):
    """What stands in ``checkpoint/`` at the end.

    `checkpoint: best` is the one with the lowest validation loss, and the last where nothing is validated. `dtype:
    auto` is float16 for a model of our own, and for another what its weights came in. `merge: false` leaves a LoRA as
    the adapter that it is.
    """

    checkpoint: Literal["best", "last"] = "best"
    dtype: Literal["auto", "float16", "bfloat16", "float32"] = "auto"
    merge: bool = True


class TrainConfig(Strict):
    """A whole run.

    `init` is a checkpoint to go on from, a folder or a hub name; `init_from_causal` a Llama-shaped causal one whose
    weights begin a masked model. Without either, a model of the shape in `model` begins at random weights, with a
    tokenizer of its own or the one of the checkpoint that `tokenizer` names.

    `precision` is what matrices are multiplied in; the weights themselves stay float32. `auto` takes bfloat16 on a GPU
    that has it and float32 elsewhere; a CPU with bfloat16 units (AMX) is several times faster with bfloat16, one
    without them slower. `compile` has torch.compile fuse the model: it needs a C++ compiler and some time at first.

    `packing`: documents follow one another in blocks of `model.context` tokens. `stream` lets a block be read as one
    text, which is fastest, and from its markers a model learns where a story begins; `borders` starts positions anew at
    each document and lets no token see another document.
    """

    seed: int = 20
    objective: Literal["causal", "masked"] = "causal"
    init: str | None = None
    init_from_causal: str | None = None
    tokenizer: str | None = None
    markers: bool = True
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: bool = False
    gradient_checkpointing: bool = False
    dropout: float | None = Field(None, ge=0, lt=1)
    packing: Literal["stream", "borders"] = "stream"
    phases: list[PhaseConfig] = Field(
        default_factory=lambda: [PhaseConfig(sources=[SourceConfig(path="train")])], min_length=1
    )
    validation: list[str] = Field(default_factory=list)
    validation_stories: int = Field(400, ge=1)
    examples: ExampleOptions = ExampleOptions()
    model: ModelConfig = ModelConfig()
    masking: MaskingConfig | None = None
    lora: LoraConfig | None = None
    optimiser: OptimiserConfig = OptimiserConfig()
    epochs: float = Field(1.0, gt=0)
    max_steps: int | None = Field(None, ge=1)
    early_stopping: EarlyStoppingConfig | None = None
    save_every: int = Field(100, ge=1)
    evaluate_every: int = Field(200, ge=1)
    log_every: int = Field(20, ge=1)
    export: ExportConfig = ExportConfig()

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        for wrong, sentence in _contradictions(self):
            if wrong:
                raise ValueError(sentence)
        return self

    @property
    def is_from_scratch(self) -> bool:
        return self.init is None and self.init_from_causal is None

    @property
    def architecture(self) -> str:
        """The shape of a model from scratch."""
        return self.model.architecture or ("llama" if self.objective == "causal" else "modernbert")


def _contradictions(config: TrainConfig) -> list[tuple[bool, str]]:
    """Every pair of keys that can't go together, with its sentence."""
    masked, scratch = config.objective == "masked", config.is_from_scratch
    shape = sorted(config.model.model_fields_set - {"context"})
    kind, kinds = config.architecture, ["modernbert", "bert"] if masked else ["llama"]
    return [
        (bool(config.init and config.init_from_causal), "init and init_from_causal are two beginnings; give one"),
        (bool(config.init_from_causal) and not masked, "init_from_causal is for objective: masked"),
        (bool(config.tokenizer) and not scratch, "tokenizer is for a model from scratch; init brings its own"),
        (bool(shape) and not scratch, f"model.{''.join(shape[:1])} is decided by the checkpoint to go on from"),
        (kind not in kinds, f"model.architecture is {kind}; {config.objective} needs one of {', '.join(kinds)}"),
        (masked and "kv_heads" in shape, f"model.kv_heads is for llama; {kind} has as many as heads"),
        ("vocab_size" in shape and bool(config.tokenizer), "model.vocab_size is decided by tokenizer"),
        (bool(config.masking) and not masked, "masking is for objective: masked"),
        (bool(config.lora) and masked, "lora is for objective: causal"),
        (bool(config.lora) and config.init is None, "lora needs init, the model that it changes"),
        (bool(config.early_stopping) and not config.validation, "early_stopping needs validation"),
        (bool(config.max_steps) and "epochs" in config.model_fields_set, "epochs and max_steps are two ends; give one"),
        (not config.export.merge and config.lora is None, "export.merge is for lora"),
    ]
