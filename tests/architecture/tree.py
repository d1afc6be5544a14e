"""The README's tree of files, made from the first words of each module.

``python -m tests.architecture.tree`` writes it into the README; a test holds it there.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- tree -->\n```\n", "```\n<!-- /tree -->"
COLUMN = 30
SHORT = 28
"""A first clause shorter than this says too little by itself."""


def source_modules() -> list[Path]:
    """Every module of both packages."""
    return [path for top in ("bot", "models") for path in sorted((ROOT / top).rglob("*.py"))]


def phrase(path: Path) -> str:
    """The module's first sentence, cut at its first clause where that says enough."""
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0].replace("\n", " ")
    sentence = re.split(r"(?<=[\w`’)])\. ", first)[0].rstrip(".")
    clause = re.split(r"[:;] ", sentence)[0]
    return clause if len(clause) >= SHORT else sentence


def tree() -> str:
    """One line a file, one line a folder, in the order of a file manager."""
    return "".join(line for top in ("bot", "models") for line in _folder(ROOT / top, 0))


def _folder(folder: Path, depth: int) -> list[str]:
    lines = [_line(f"{folder.name}/", phrase(folder / "__init__.py"), depth)]
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            lines.append(_line(path.name, phrase(path), depth + 1))
    for inner in sorted(folder.iterdir()):
        if (inner / "__init__.py").exists():
            lines += _folder(inner, depth + 1)
    return lines


def _line(name: str, words: str, depth: int) -> str:
    return f"{'  ' * depth + name:<{COLUMN}}{words}".rstrip() + "\n"


def with_tree(readme: str) -> str:
    """The README with its tree made anew."""
    before, rest = readme.split(BEGIN)
    return before + BEGIN + tree() + END + rest.split(END)[1]


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_tree(readme.read_text(encoding="utf-8")), encoding="utf-8")
