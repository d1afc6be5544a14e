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

    paths = [*nltk.data.path] if download_to is None else [str(download_to)]
    try:
        return _found(corpus, paths)
    except LookupError:
        pass
    try:
        nltk.download(
            corpus, download_dir=None if download_to is None else str(download_to), quiet=True, raise_on_error=True
        )
        return _found(corpus, paths)
    except (ValueError, OSError, LookupError) as error:
        raise SourceError(
            f"cannot download NLTK's corpus {corpus!r}: {error}. Without a network, copy the corpus's folder here and "
            "give it as `path` (nltk:FOLDER on the command line)"
        ) from error


def _found(corpus: str, paths: list[str]) -> Path:
    import nltk

    try:
        return Path(str(nltk.data.find(f"corpora/{corpus}", paths)))
    except LookupError:
        # The downloader leaves corpora that are not unpacked as .zip; NLTK's own pointer can't be read as a folder.
        archive = Path(str(nltk.data.find(f"corpora/{corpus}.zip", paths)))
        raise LookupError(f"{archive} is not unpacked; unpack it and give the folder as `path`") from None


def _chosen(files: list[TextFile], wanted: list[str], folder: Path) -> list[TextFile]:
    names = {file.name for file in files}
    missing = [name for name in wanted if name not in names]
    if missing:
        raise SourceError(f"{folder} has no {missing[0]}; there are {', '.join(sorted(names))}")
    return [file for file in files if not wanted or file.name in wanted]
