"""The only reader of the worker's environment: typed settings, checked once, secrets hidden in `repr`.

Values come from the command line, then the process environment, then a ``.env`` file that the bot may share.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BUNDLED_MODEL = Path(__file__).parents[1] / "storyteller"
BUNDLED_REWRITER = Path(__file__).parents[1] / "rewriter"
OFF = "off"


class WorkerConfigError(Exception):
    """A setting that stops the start: its name, what was found and what is wanted."""

    def __init__(self, name: str, found: str, wanted: str) -> None:
        self.name = name
        super().__init__(f"{name}: found {found}, wanted {wanted}")


class WorkerConfig(BaseSettings):
    """What the worker needs to start. Field names are the environment's names in lower case.

    `queue_size` requests may wait besides those that run; `threads` None leaves torch all cores; `cache_mb` None takes
    a sensible share of the device's memory for what was read. `adapters` are folders or hub names by their own names.
    `masked_source` says what `masked_model` comes to, and `moderation_source` what `moderation_model` does.
    `moderation_labels` says what the classifier's labels are called, None for those that are no category.
    """

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    model: str = str(BUNDLED_MODEL)
    model_revision: str | None = None
    masked_model: str | None = None
    masked_model_revision: str | None = None
    moderation_model: str | None = None
    moderation_model_revision: str | None = None
    moderation_labels: Annotated[dict[str, str | None], NoDecode] = Field(default_factory=dict)
    moderation_threshold: float = Field(0.5, gt=0, le=1)
    moderation_url: str | None = None
    adapters: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    worker_host: str = "127.0.0.1"
    worker_port: int = Field(8765, ge=0, le=65_535)
    worker_api_key: SecretStr | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    queue_size: int = Field(16, ge=0, le=10_000)
    max_n: int = Field(8, ge=1, le=128)
    max_tokens: int = Field(1024, ge=1)
    threads: int | None = Field(None, ge=1, le=1024)
    cache_mb: int | None = Field(None, ge=1)
    quantize: Literal["none", "int8", "fp8"] = "none"
    gpu_decoder: Literal["auto", "off"] = "auto"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator(
        *("model_revision", "masked_model", "masked_model_revision", "worker_api_key", "threads", "cache_mb"),
        *("moderation_model", "moderation_model_revision", "moderation_url"),
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("adapters", mode="before")
    @classmethod
    def _split_adapters(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [each.partition("=") for each in value.split(",") if each.strip()]
        named = {name.strip(): source.strip() for name, _, source in pairs}
        if len(named) < len(pairs) or not all(name and source for name, source in named.items()):
            raise ValueError("name=folder or name=hub name, separated by commas, each name once")
        return named

    @field_validator("moderation_labels", mode="before")
    @classmethod
    def _read_labels(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return _json_object(value) if value.strip() else {}

    @field_validator("model", mode="before")
    @classmethod
    def _empty_is_bundled(cls, value: Any) -> Any:
        return str(BUNDLED_MODEL) if isinstance(value, str) and not value.strip() else value

    @property
    def masked_source(self) -> str | None:
        """The masked model's folder or hub name; None for none. The bundled one comes with the bundled model only."""
        if self.masked_model is None:
            return bundled_rewriter() if Path(self.model).absolute() == BUNDLED_MODEL else None
        return None if self.masked_model.strip().lower() == OFF else self.masked_model.strip()

    @property
    def moderation_source(self) -> str | None:
        """The classifier's folder or hub name; None for none.

        Where MODERATION_URL sends the bot to another server, MODERATION_MODEL is that server's model, and none is
        loaded here.
        """
        if self.moderation_model is None or self.moderation_url is not None:
            return None
        return None if self.moderation_model.strip().lower() == OFF else self.moderation_model.strip()


def _json_object(value: str) -> Any:
    """A JSON object that is written out, or in a file. Raises `ValueError` that says what is wanted."""
    wanted = 'a JSON object like {"LABEL_1": "hate", "LABEL_0": null}, or a file that holds one'
    try:
        said = json.loads(value if value.lstrip().startswith("{") else Path(value.strip()).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{wanted} ({error})") from error
    if not isinstance(said, dict) or not all(name is None or isinstance(name, str) for name in said.values()):
        raise ValueError(wanted)
    return said


def bundled_rewriter() -> str | None:
    """The masked model that ships with the product, where it is installed."""
    return str(BUNDLED_REWRITER) if (BUNDLED_REWRITER / "config.json").is_file() else None


def load_config(env_file: Path | None = Path(".env"), **overrides: Any) -> WorkerConfig:
    """Reads the environment and `env_file`. Raises `WorkerConfigError` for the first value that cannot be used."""
    try:
        return WorkerConfig(_env_file=env_file, **overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        found = "a value" if "KEY" in name else repr(first["input"])
        raise WorkerConfigError(
            name, found, first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        ) from error
