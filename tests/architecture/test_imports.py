"""Who may import whom: the table of the design, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Package → packages of this project that it may import besides itself.
ARROWS = {
    "bot.story": {"bot.errors"},
    "bot.filters": {"bot.errors"},
    "bot.store": {"bot.story", "bot.errors"},
    "bot.worker": {"bot.story", "bot.errors"},
    "bot.service": {"bot.story", "bot.filters", "bot.store", "bot.worker", "bot.errors"},
    "bot.discord_app": {"bot.service", "bot.story", "bot.errors"},
    "bot.demo": {"bot.discord_app", "bot.service", "bot.story", "bot.errors", "bot.config", "bot.app"},
    "bot.export": {"bot.store", "bot.story", "bot.config", "bot.errors"},
    "bot.errors": set(),
    "bot.config": {"bot.errors"},
    "bot.cli": set(),
    # The composition root: the only place that knows every part.
    "bot.app": {"bot.config", "bot.store", "bot.filters", "bot.worker", "bot.service", "bot.discord_app", "bot.errors"},
    "bot.__main__": {"bot.app", "bot.config", "bot.errors"},
    "models.engine": set(),
    "models.serve": {"models.engine"},
    "models.train": {"models.engine"},
    "models.evaluate": {"models.engine", "models.train"},
    "models.bench": {"models.engine"},
}

# A library with one home: the only packages that may import it.
HOMES = {
    "aiosqlite": {"bot.store"},
    "sqlite3": {"bot.store"},
    "openai": {"bot.worker"},
    "discord": {"bot.discord_app", "bot.demo", "bot.app", "bot.__main__"},
    "simcord": {"bot.demo"},
    "re2": {"bot.filters"},
    "ahocorasick": {"bot.filters"},
    "torch": {"models.engine", "models.serve", "models.train", "models.evaluate", "models.bench"},
    "transformers": {"models.engine", "models.serve", "models.train", "models.evaluate", "models.bench"},
    "fastapi": {"models.serve"},
    "uvicorn": {"models.serve"},
    "matplotlib": {"bot.filters", "models.bench", "models.evaluate", "models.train"},
}

# The engine knows nothing of HTTP or asyncio.
NEVER = {"models.engine": {"asyncio", "fastapi", "starlette", "uvicorn", "httpx", "aiohttp"}}

# `os.environ` and `os.getenv` are read by the two configurations; what OpenMP and torch read is set before torch
# is imported, and the demo and the benchmark pass an environment to the processes that they start.
ENVIRONMENT = {
    "bot/config.py",
    "bot/demo/process.py",
    "models/bench/environments.py",
    "models/engine/environment.py",
    "models/serve/config.py",
}


def source_files() -> list[Path]:
    return [p for top in ("bot", "models") for p in sorted((ROOT / top).rglob("*.py"))]


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:2]) if len(parts) > 1 else parts[0]


def imported_modules(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name lives"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", source_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_along_the_arrows(path: Path) -> None:
    package = package_of(path)
    if path.name == "__init__.py" and package.count(".") == 1 and path.parent.parent == ROOT:
        package = path.parent.name
    allowed = ARROWS.get(package)
    for module in imported_modules(path):
        top = module.split(".")[0]
        if top in {"bot", "models"}:
            target = ".".join(module.split(".")[:2])
            assert allowed is not None, f"{package} is not in the table of arrows"
            assert target == package or target in allowed, f"{package} must not import {module}"
        if top in HOMES:
            assert package in HOMES[top], f"{package} must not import {top}: its home is {sorted(HOMES[top])}"
        assert top not in NEVER.get(package, set()), f"{package} must not import {top}"


@pytest.mark.parametrize("path", source_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_environment_is_read_in_one_place(path: Path) -> None:
    if str(path.relative_to(ROOT)) in ENVIRONMENT:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            assert node.attr not in {"environ", "getenv", "putenv"}, f"{path}:{node.lineno} reads the environment"


def test_the_table_names_only_what_exists() -> None:
    known = {package_of(path) for path in source_files()}
    assert set(ARROWS) <= known, f"not in the source: {sorted(set(ARROWS) - known)}"
