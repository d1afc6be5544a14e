"""From what a command line names to subjects: a URL, a checkpoint of either kind, or a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoConfig

from models.evaluate.local import LocalSubject, make_untrained, open_checkpoint
from models.evaluate.masked import open_masked
from models.evaluate.ngram import ORDER, train_ngram
from models.evaluate.remote import RemoteSubject
from models.evaluate.server import connect
from models.evaluate.subject import CannotOpen, Subject

UNTRAINED, NGRAM = "untrained", "ngram"
BASELINES = (UNTRAINED, NGRAM)


@dataclass(frozen=True)
class Opening:
    """`window` is the most tokens that are scored at once; None leaves it to the subject."""

    device: str = "auto"
    dtype: str = "float32"
    window: int | None = None
    api_key: str | None = None
    baselines: tuple[str, ...] = ()
    ngram_text: tuple[Path, ...] = ()
    ngram_order: int = ORDER
    seed: int = 0

    def __post_init__(self) -> None:
        if (NGRAM in self.baselines) != bool(self.ngram_text):
            raise ValueError("the baseline ngram and --ngram-text go together: give both or neither")
        if self.window is not None and self.window < 2:
            raise ValueError(f"window is {self.window}; it must be at least 2")


def open_subject(source: str, opening: Opening) -> Subject:
    """Raises `CannotOpen`."""
    if is_url(source):
        return RemoteSubject(connect(source, opening.api_key), opening.window)
    if _is_masked(source):
        return open_masked(source, opening.device, opening.dtype)
    return open_checkpoint(source, opening.device, opening.dtype, opening.window)


def open_all(sources: tuple[str, ...], opening: Opening) -> Iterator[Subject]:
    """One after the other, so that a model can be let go before the next is loaded; baselines follow their model.

    Raises `CannotOpen`.
    """
    for source in sources:
        subject = open_subject(source, opening)
        try:
            yield subject
        finally:
            subject.close()
        if UNTRAINED in opening.baselines and isinstance(subject, LocalSubject):
            yield make_untrained(subject, opening.seed)
    if NGRAM in opening.baselines:
        try:
            yield train_ngram(opening.ngram_text, opening.ngram_order)
        except (OSError, ValueError) as error:
            raise CannotOpen(f"the n-gram baseline: {error}") from error


def is_url(source: str) -> bool:
    """Whether a server is meant."""
    return source.startswith(("http://", "https://"))


def _is_masked(source: str) -> bool:
    """By the class that the checkpoint was saved from."""
    path = Path(source).expanduser()
    try:
        config = AutoConfig.from_pretrained(str(path) if path.is_dir() else source)
    except Exception as error:  # whatever transformers and the hub client raise for what is no checkpoint
        raise CannotOpen(f"cannot load {source}: {error}") from error
    return any(name.endswith("ForMaskedLM") for name in config.architectures or ())
