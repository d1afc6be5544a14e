"""Text files on disk: found, hashed, their encoding known, read line by line."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ftfy.bad_codecs  # noqa: F401 - registers the codec of OLD_TEXT

from models.train.data.errors import SourceError

CHUNK = 1 << 20
OLD_TEXT = "sloppy-windows-1252"
"""What a file that is not UTF-8 is read as: Latin-1's superset, with no byte undefined, so that nothing is lost and a
file of broken UTF-8 can still be mended story by story."""
_SKIPPED = ("NOTICE", "README", "LICENSE", "LICENCE", "ATTRIBUTION")
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class TextFile:
    """A file as it was found; `name` is its path below the source's folder, with forward slashes."""

    path: Path
    name: str
    num_bytes: int
    sha256: str
    encoding: str

    def lines(self) -> Iterator[str]:
        """Lines with their ends as a newline, read as they are asked for."""
        try:
            with self.path.open(encoding=self.encoding, errors="replace") as lines:
                yield from lines
        except OSError as error:
            raise SourceError(f"cannot read {self.path}: {error.strerror}") from error


def find_files(path: Path, suffixes: tuple[str, ...]) -> Iterator[TextFile]:
    """The file, or every file below the folder that ends in one of `suffixes`, sorted by name.

    Hidden files and notices (README, NOTICE, LICENSE, ATTRIBUTION) are no stories and are left out of folders.
    Raises `SourceError` where there is none.
    """
    if path.is_file():
        yield inspect_file(path, path.name)
        return
    if not path.is_dir():
        raise SourceError(f"no such file or folder: {path}")
    found = [p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in suffixes and _may_be_story(p, path)]
    if not found:
        raise SourceError(f"no {' or '.join(suffixes)} file in {path}")
    for file in sorted(found, key=lambda p: p.relative_to(path).as_posix()):
        yield inspect_file(file, file.relative_to(path).as_posix())


def _may_be_story(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return not hidden and path.stem.upper() not in _SKIPPED


def inspect_file(path: Path, name: str) -> TextFile:
    """Hash, size and encoding in one pass over the file, a megabyte at a time."""
    digest, size, decoder, encoding = hashlib.sha256(), 0, codecs.getincrementaldecoder("utf-8")(), "utf-8"
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                if size == 0:
                    encoding = next(
                        (name for mark, name in _BYTE_ORDER_MARKS.items() if chunk.startswith(mark)), "utf-8"
                    )
                digest.update(chunk)
                size += len(chunk)
                if encoding == "utf-8" and not _decodes(decoder, chunk):
                    encoding = OLD_TEXT
                if encoding != "utf-16" and b"\0" in chunk:
                    raise SourceError(f"{path} is not text: it holds zero bytes")
        if encoding == "utf-8" and not _decodes(decoder, b"", final=True):
            encoding = OLD_TEXT
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    return TextFile(path, name, size, digest.hexdigest(), encoding)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True
