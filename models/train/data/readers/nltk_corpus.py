"""A corpus of NLTK's, by its name through NLTK's downloader, or from a folder that holds its files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models.train.data.document import Document
from models.train.data.errors import SourceError
from models.train.data.files import TextFile, find_files
from models.train.data.readers.gutenberg import read_books
from models.train.data.readers.log import SourceLog
from models.train.data.settings import NltkSource


def read_nltk(source: NltkSource, root: Path, log: SourceLog) -> Iterator[Document]:
    """The corpus's plain text books, or the `files` of them that are named."""
    folder = root / source.path if source.path else find_corpus(source.corpus, _target(source, root))
    yield from read_books(source, _chosen(list(find_files(folder, (".txt",))), source.files, folder), log)


def _target(source: NltkSource, root: Path) -> Path | None:
    return None if source.download_to is None else root / source.download_to


def find_corpus(corpus: str, download_to: Path | None) -> Path:
    """The folder of a corpus: where NLTK looks for its data, else downloaded (to NLTK's own place without a folder).

    Raises `SourceError` where it is not there and cannot be fetched.
    """
    import nltk

    places = [Path(place) for place in nltk.data.path] if download_to is None else [download_to]
    if (folder := _unpacked(corpus, places)) is not None:
        return folder
    try:
        nltk.download(
            corpus, download_dir=None if download_to is None else str(download_to), quiet=True, raise_on_error=True
        )
    except (ValueError, OSError) as error:
        raise SourceError(
            f"cannot download NLTK's corpus {corpus!r}: {error}. Without a network, copy the corpus's folder here and "
            "give it as `path` (nltk:FOLDER on the command line)"
        ) from error
    if (folder := _unpacked(corpus, places)) is not None:
        return folder
    raise SourceError(
        f"NLTK downloaded {corpus!r}, but there is no folder corpora/{corpus} in {', '.join(map(str, places))}: "
        "unpack its archive and give the folder as `path`"
    )


def _unpacked(corpus: str, places: list[Path]) -> Path | None:
    folders = (place / "corpora" / corpus for place in places)
    return next((folder for folder in folders if folder.is_dir()), None)


def _chosen(files: list[TextFile], wanted: list[str], folder: Path) -> list[TextFile]:
    names = {file.name for file in files}
    missing = [name for name in wanted if name not in names]
    if missing:
        raise SourceError(f"{folder} has no {missing[0]}; there are {', '.join(sorted(names))}")
    return [file for file in files if not wanted or file.name in wanted]
