"""How candidates are drawn from the model: one place for the numbers, recorded with every candidate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    """Lively but coherent prose. `top_p` and `min_p` both cut the unlikely tail; min_p adapts to how sure the model is.

    The frequency penalty keeps small models out of loops. It counts only what a candidate has written itself; a
    repetition penalty would count the prompt too, and so work against the names and the hint that stand there.

    `min_p` is not in OpenAI's API; vLLM, llama.cpp and our own worker know it, and a server that does not is asked
    without (the client sees to that).
    """

    temperature: float = 0.8
    top_p: float = 0.95
    frequency_penalty: float = 0.3
    min_p: float = 0.05

    @property
    def extra(self) -> dict[str, float]:
        """The fields that only some servers know."""
        return {"min_p": self.min_p}


@dataclass(frozen=True)
class LightSampling:
    """How a masked model puts other words into a passage.

    A quarter of the words keeps sense and length; `passes` steps that guess the surest ones first agree better with
    each other than one (Ghazvininejad et al. 2019, https://arxiv.org/abs/1904.09324, where 4 to 10 are enough). What
    comes back unchanged is asked for again with more of it hidden, up to half.
    """

    temperature: float = 0.8
    passes: int = 8
    order: str = "parallel"
    shares: tuple[float, ...] = (0.25, 0.35, 0.5)

    def mask_share(self, attempt: int) -> float:
        """The share of words that the `attempt`-th question (0, 1, …) hides."""
        return self.shares[min(attempt, len(self.shares) - 1)]


MAX_SEED = 2**31 - 1
"""Seeds stay within 31 bits: llama.cpp takes 32, others a signed integer."""
EXTRA_ASKED = 1
"""Over-generation: on a shared prompt one more candidate costs little, asking again costs a whole answer's time."""
MAX_ASKS = 3
"""How often the model is asked for one ballot before it opens with fewer candidates."""
MAX_REROLLS = 2
"""How often in a row "none of these" leads to new candidates by itself; then somebody asks again on purpose."""
