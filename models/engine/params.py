"""What a request may say about sampling, checked; free of torch, so that it can be checked before a model is there."""

from __future__ import annotations

from dataclasses import dataclass

SEED_LIMIT = 2**63  # seeds are 0 … SEED_LIMIT - 1
DEFAULT_STRENGTH = 2.0  # of `must_include`: what is added to a logit at the beginning of the text
MAX_BEAMS = 16
MAX_BEAM_TOKENS = 1280  # beams times max_tokens: what a slot has room for behind any prompt (`budget.WRITTEN_COLUMNS`)
MAX_BIASED = 300
MAX_BREAKERS = 16
MAX_BREAKER_CHARS = 40
DRY_BREAKERS = ("\n", ":", '"', "*")  # the default of text-generation-webui and llama.cpp
_JSON_SAFE = 2**53 - 1  # derived seeds stay exact in readers that keep JSON numbers as doubles


class BadSampling(ValueError):
    """A sampling parameter is out of its bounds; `param` names it, the message says the bounds."""

    def __init__(self, param: str, wanted: str) -> None:
        self.param = param
        super().__init__(f"{param} must be {wanted}")


@dataclass(frozen=True)
class SamplingParams:
    """One request's sampling; the defaults leave the model's own distribution as it is. `temperature` 0 is greedy.

    `repetition_penalty` covers prompt and generated tokens; the other two penalties cover generated tokens only.
    `logit_bias` are pairs of a token id and what is added to its logit. The fields of DRY are explained in `dry`.
    """

    temperature: float = 1.0
    top_k: int = 0  # 0: no limit
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    dry_multiplier: float = 0.0  # 0: no DRY
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1  # -1: the whole text
    dry_sequence_breakers: tuple[str, ...] = DRY_BREAKERS

    def __post_init__(self) -> None:
        _require(0 <= self.temperature <= 2, "temperature", "between 0 and 2")
        _require(self.top_k >= 0, "top_k", "0 (no limit) or more")
        _require(0 < self.top_p <= 1, "top_p", "above 0 and at most 1")
        _require(0 <= self.min_p <= 1, "min_p", "between 0 and 1")
        _require(0 < self.typical_p <= 1, "typical_p", "above 0 and at most 1")
        _require(0 < self.repetition_penalty <= 10, "repetition_penalty", "above 0 and at most 10")
        _require(-2 <= self.presence_penalty <= 2, "presence_penalty", "between -2 and 2")
        _require(-2 <= self.frequency_penalty <= 2, "frequency_penalty", "between -2 and 2")
        _require(len(self.logit_bias) <= MAX_BIASED, "logit_bias", f"for at most {MAX_BIASED} tokens")
        _require(all(-100 <= bias <= 100 for _, bias in self.logit_bias), "logit_bias", "between -100 and 100 each")
        _require(0 <= self.dry_multiplier <= 100, "dry_multiplier", "between 0 and 100")
        _require(1 <= self.dry_base <= 10, "dry_base", "between 1 and 10")
        _require(1 <= self.dry_allowed_length <= 50, "dry_allowed_length", "between 1 and 50")
        _require(self.dry_penalty_last_n >= -1, "dry_penalty_last_n", "-1 (the whole text) or more")
        _require(
            len(self.dry_sequence_breakers) <= MAX_BREAKERS
            and all(0 < len(each) <= MAX_BREAKER_CHARS for each in self.dry_sequence_breakers),
            "dry_sequence_breakers",
            f"at most {MAX_BREAKERS} strings of 1 to {MAX_BREAKER_CHARS} characters",
        )


@dataclass(frozen=True)
class BeamParams:
    """Beam search of `width` beams; see `beams`. `early_stopping` is a bool or "never", as in transformers."""

    width: int
    length_penalty: float = 1.0
    early_stopping: bool | str = False

    def __post_init__(self) -> None:
        _require(2 <= self.width <= MAX_BEAMS, "beam_width", f"between 1 (no beam search) and {MAX_BEAMS}")
        _require(-10 <= self.length_penalty <= 10, "length_penalty", "between -10 and 10")
        _require(self.early_stopping in (False, True, "never"), "early_stopping", 'true, false or "never"')


@dataclass(frozen=True)
class ContrastiveParams:
    """Contrastive search among `top_k` tokens; see `contrastive`."""

    alpha: float
    top_k: int

    def __post_init__(self) -> None:
        _require(0 < self.alpha <= 1, "penalty_alpha", "above 0 and at most 1")
        _require(2 <= self.top_k <= MAX_BEAMS, "top_k", f"between 2 and {MAX_BEAMS} with penalty_alpha")


def _require(is_fine: bool, param: str, wanted: str) -> None:
    if not is_fine:  # NaN fails every comparison, so it is refused too
        raise BadSampling(param, wanted)


def row_seed(seed: int, index: int) -> int:
    """The seed of row `index` of a request. Row 0 keeps the request's own seed.

    So any recorded row seed, sent again with n=1, runs the same row. The mixing is splitmix64's.
    """
    if index == 0:
        return seed
    mask = 2**64 - 1
    mixed = (seed + index * 0x9E3779B97F4A7C15) & mask
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & mask
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
    return (mixed ^ (mixed >> 31)) & _JSON_SAFE
