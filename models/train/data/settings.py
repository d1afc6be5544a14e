"""The settings of `talewright data prepare`: one YAML file, every key known, every value checked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.train.data.errors import SettingsError

UseFor = Literal["auto", "train", "validation", "test"]


class Strict(BaseModel):
    """Unknown keys are refused; values don't change after they are checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Source(Strict):
    """What every source may say of itself. `name` must be unique; without one it is the last part of the path."""

    path: str = Field(min_length=1)
    name: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")
    licence: str = "unknown"
    attribution: str | None = None
    attribution_file: str | None = None
    use_for: UseFor = "auto"
    tags: list[str] = Field(default_factory=list)
    limit: int | None = Field(None, ge=1)

    @property
    def place(self) -> str:
        """The path or public name that the source is read from."""
        return self.path

    @property
    def label(self) -> str:
        """The name that stands in stories, groups and counts."""
        return self.name or Path(self.place).stem or self.place


class TextSource(_Source):
    """Plain text: pieces apart by ``<|endoftext|>``, titled by ``# `` lines. `group` is what never gets split."""

    kind: Literal["text"]
    group: Literal["piece", "story", "file"] = "piece"


class _BookSource(_Source):
    chapters: bool = True
    front_matter: bool = False
    group: Literal["book", "story"] = "book"


class GutenbergSource(_BookSource):
    """Project Gutenberg's plain text files: one, or a folder of them."""

    kind: Literal["gutenberg"]


class NltkSource(_BookSource):
    """A corpus of plain text books by NLTK's name for it, or from a local folder (`path`)."""

    kind: Literal["nltk"]
    corpus: str = "gutenberg"
    path: str = ""
    download_to: str | None = None
    files: list[str] = Field(default_factory=list)

    @property
    def place(self) -> str:
        """The local folder, or the corpus's name."""
        return self.path or self.corpus


class Fields(Strict):
    """Which field of a record is what. A field that is named here must be in every record."""

    text: str | None = None
    title: str | None = None
    premise: str | None = None
    tags: str | None = None
    group: str | None = None


class JsonlSource(_Source):
    """One JSON object a line."""

    kind: Literal["jsonl"]
    fields_: Fields = Field(Fields(), alias="fields")


class HubSource(_Source):
    """A dataset of the Hugging Face hub by name, or a local one by path."""

    kind: Literal["hf"]
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    streaming: bool = False
    cache: str | None = None
    columns: Fields = Fields()


class CommunitySource(_Source):
    """A community's export of its own stories; only passages marked free for training are read."""

    kind: Literal["community"]


SourceSettings = Annotated[
    TextSource | GutenbergSource | NltkSource | JsonlSource | HubSource | CommunitySource, Field(discriminator="kind")
]


class EncodingSettings(Strict):
    """Mends text that was decoded wrongly; what cannot be mended is dropped unless `drop_broken` is off."""

    enabled: bool = True
    drop_broken: bool = True


class NormalFormSettings(Strict):
    """Unicode's composed form and one kind of white space; `plain_quotes` also folds typographic quotes and dashes."""

    enabled: bool = True
    plain_quotes: bool = False


class MarkerSettings(Strict):
    """Takes out what looks like a tokenizer's special marker."""

    enabled: bool = True


class BoilerplateSettings(Strict):
    """Lines that are no story: addresses, page numbers, and paragraphs repeated at the edges of many stories.

    A paragraph among the first or last `edge_paragraphs` of a story is taken out where it stands at the edges of at
    least `min_stories` stories and of at least the share `min_share` of all.
    """

    urls: bool = True
    page_numbers: bool = True
    repeated: bool = True
    edge_paragraphs: int = Field(3, ge=1, le=20)
    min_stories: int = Field(20, ge=2)
    min_share: float = Field(0.002, ge=0, le=1)


class LengthSettings(Strict):
    """Bounds in words (runs apart by white space), both included."""

    min_words: int = Field(30, ge=1)
    max_words: int | None = Field(None, ge=1)


class LanguageSettings(Strict):
    """ISO 639-1 codes to keep; none switches the filter off. Only `sample_chars` characters of a story are read."""

    keep: list[str] = Field(default_factory=list)
    min_confidence: float = Field(0.5, ge=0, le=1)
    sample_chars: int = Field(1500, ge=100)


class WordSettings(Strict):
    """A file of words, one a line; a story that holds one of them as a whole word is dropped."""

    file: str | None = None


class DuplicateSettings(Strict):
    """Exact copies, and stories whose word shingles are alike by at least `threshold` (Jaccard).

    `keep` says which of two near-duplicates stays: the one that was read first, or the longer one.
    """

    exact: bool = True
    near: bool = True
    threshold: float = Field(0.8, ge=0.3, le=0.95)
    permutations: int = Field(128, ge=16, le=1024)
    shingle_words: int = Field(5, ge=1, le=20)
    keep: Literal["first", "longest"] = "first"


class CleaningSettings(Strict):
    """The steps, in the order in which they run."""

    encoding: EncodingSettings = EncodingSettings()
    normal_form: NormalFormSettings = NormalFormSettings()
    markers: MarkerSettings = MarkerSettings()
    boilerplate: BoilerplateSettings = BoilerplateSettings()
    length: LengthSettings = LengthSettings()
    language: LanguageSettings = LanguageSettings()
    words: WordSettings = WordSettings()
    duplicates: DuplicateSettings = DuplicateSettings()


class SplitSettings(Strict):
    """Shares of the groups (not of the words) that are held out; another `salt` draws other groups."""

    validation: float = Field(0.02, ge=0, lt=1)
    test: float = Field(0.02, ge=0, lt=1)
    salt: str = ""

    @model_validator(mode="after")
    def _leave_something(self) -> SplitSettings:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must be less than 1, or nothing is left to train on")
        return self


class LeakageSettings(Strict):
    """How far held-out text occurs in train: shared runs of `ngram` words, and near-duplicates.

    With `drop`, a story leaves train where it is a near-duplicate of a held-out one, or holds at least `max_share` of
    a held-out story's runs of words, or at least `max_share` of its own runs stand in held-out stories.
    """

    measure: bool = True
    ngram: int = Field(13, ge=3, le=50)
    near_duplicates: bool = True
    drop: bool = False
    max_share: float = Field(0.5, gt=0, le=1)


class DataSettings(Strict):
    """A whole dataset."""

    sources: list[SourceSettings] = Field(min_length=1)
    cleaning: CleaningSettings = CleaningSettings()
    splits: SplitSettings = SplitSettings()
    leakage: LeakageSettings = LeakageSettings()

    @model_validator(mode="after")
    def _agree(self) -> DataSettings:
        twice = [name for name, times in Counter(s.label for s in self.sources).items() if times > 1]
        if twice:
            raise ValueError(f"two sources are named {twice[0]!r}: give one of them a `name` of its own")
        if self.leakage.drop and not self.leakage.measure:
            raise ValueError("leakage.drop needs leakage.measure")
        return self


def check_settings(values: Any, origin: str) -> DataSettings:
    """Checked settings. Raises `SettingsError` naming `origin` and the first bad key."""
    try:
        return DataSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        found = f" (found {first['input']!r})" if key and first["type"] != "missing" else ""
        raise SettingsError(f"{origin}: {key + ': ' if key else ''}{first['msg']}{found}") from error


def load_settings(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, not yet checked. Raises `SettingsError` where there is none."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: wanted a mapping with the key `sources`, found {type(values).__name__}")
    return values
