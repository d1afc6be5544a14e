"""Other libraries as judges of a line, where they are installed (talewright[filters])."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

Judge = Callable[[str], bool]
"""Whether a line is stopped."""


def other_judges() -> tuple[dict[str, Judge], list[str]]:
    """The libraries with their versions, and a sentence for each that is not there."""
    judges: dict[str, Judge] = {}
    missing: list[str] = []
    for name, make in (
        ("better-profanity", _better_profanity),
        ("alt-profanity-check", _alt_profanity_check),
        ("profanityfilter", _profanityfilter),
    ):
        try:
            judges[f"{name} {version(name)}"] = make()
        except ImportError as error:
            missing.append(f"{name} was not measured: {error}.")
    return judges, missing


def _better_profanity() -> Judge:
    from better_profanity import profanity

    profanity.load_censor_words()
    return lambda line: bool(profanity.contains_profanity(line))


def _alt_profanity_check() -> Judge:
    from profanity_check import predict

    return lambda line: bool(predict([line])[0])


def _profanityfilter() -> Judge:
    from profanityfilter import ProfanityFilter

    judge = ProfanityFilter()
    return lambda line: bool(judge.is_profane(line))
