"""Which stories stay: by length, by language, by words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from models.train.data.cleaning.step import Step
from models.train.data.errors import SettingsError
from models.train.data.settings import LanguageSettings, LengthSettings
from models.train.data.shingles import words_of
from models.train.sources import Story


def length_step(settings: LengthSettings) -> Step:
    """Drops stories outside the bounds."""

    def apply(story: Story) -> Story | None:
        words = len(story.text.split())
        is_kept = words >= settings.min_words and (settings.max_words is None or words <= settings.max_words)
        return story if is_kept else None

    return Step("length", apply)


def language_step(settings: LanguageSettings) -> Step:
    """Drops stories of which no language in `keep` is as likely as `min_confidence` among all that lingua knows.

    Read is a sample from the middle, in lingua's mode for long texts (character trigrams alone, which it gives as
    enough from 120 characters on, at a fraction of the memory).
    """
    from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

    kept = []
    for code in settings.keep:
        iso = getattr(IsoCode639_1, code.upper(), None)
        if iso is None:
            raise SettingsError(f"cleaning.language.keep: {code!r} is no ISO 639-1 code that the detector knows")
        kept.append(Language.from_iso_code_639_1(iso))
    detector = LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()

    def apply(story: Story) -> Story | None:
        sample = middle_of(story.text, settings.sample_chars)
        surest = max(detector.compute_language_confidence(sample, language) for language in kept)
        return story if surest >= settings.min_confidence else None

    return Step("language", apply)


def middle_of(text: str, chars: int) -> str:
    """At most `chars` characters from the middle, where titles, mottoes and notices don't stand."""
    start = max(0, (len(text) - chars) // 2)
    return text[start : start + chars]


def word_step(words: Iterable[str]) -> Step:
    """Drops stories that hold one of the words (or phrases) whole, in any case, in text, title or premise.

    Words end at anything but letters and digits: `fox` is found in `fox's` and `fox-hunt`, never in `foxglove`.
    """
    phrases = {tuple(words_of(word)) for word in words} - {()}
    lengths = sorted({len(phrase) for phrase in phrases})

    def has_any(text: str | None) -> bool:
        found = words_of(text or "")
        return any(
            tuple(found[at : at + length]) in phrases for length in lengths for at in range(len(found) - length + 1)
        )

    def apply(story: Story) -> Story | None:
        return None if any(map(has_any, (story.text, story.title, story.premise))) else story

    return Step("words", apply)


def load_words(path: Path) -> list[str]:
    """The words of a list, one a line; lines that begin with ``#`` are comments. Raises `SettingsError`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cleaning.words.file: cannot read {path}: {error}") from error
    words = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not words:
        raise SettingsError(f"cleaning.words.file: no word in {path}")
    return words
