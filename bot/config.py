"""The only reader of the environment: typed settings, checked once, secrets hidden in `repr`.

Values come from the process environment and then from a ``.env`` file. A value that cannot be used stops the start
with a `ConfigError` that names the setting, what was found and what is wanted. ``.env.example`` explains every one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import ConfigError


class BotConfig(BaseSettings):
    """What the bot needs to start. Field names are the environment's names in lower case.

    `moderation_model` is a model of the server at `moderation_url`. Without that address the same setting is the
    worker's business: it names the checkpoint that it loads, and the bot takes what the worker announces.
    """

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    discord_token: SecretStr | None = None
    database: Path = Path("data/talewright.sqlite3")
    worker_url: str = "http://127.0.0.1:8765"
    worker_api_key: SecretStr | None = None
    worker_model: str | None = None
    worker_timeout_s: float = Field(120.0, gt=0, le=600)
    moderation_url: str | None = None
    moderation_api_key: SecretStr | None = None
    moderation_model: str | None = None
    moderation_timeout_s: float = Field(15.0, gt=0, le=120)
    filter_words: Annotated[tuple[Path, ...], NoDecode] = ()
    sync_commands: Literal["auto", "never"] = "auto"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    contact_url: str | None = None
    privacy_url: str | None = None

    @field_validator("worker_url", "moderation_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("an address that begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("filter_words", mode="before")
    @classmethod
    def _split_paths(cls, value: Any) -> Any:
        return tuple(p.strip() for p in value.split(",") if p.strip()) if isinstance(value, str) else value

    @field_validator("filter_words")
    @classmethod
    def _files_exist(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in value:
            if not path.is_file():
                raise ValueError(f"files that exist, and {path} does not")
        return value

    @field_validator("moderation_api_key")
    @classmethod
    def _has_an_address(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and info.data.get("moderation_url") is None:
            raise ValueError("MODERATION_URL too: the key is for the server there")
        return value

    @field_validator(
        *("discord_token", "worker_api_key", "worker_model", "contact_url", "privacy_url"),
        *("moderation_url", "moderation_api_key", "moderation_model"),
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    def require_token(self) -> str:
        """The Discord token; raises `ConfigError` where it is missing."""
        if self.discord_token is None:
            raise ConfigError("DISCORD_TOKEN", "nothing", "a bot token from the Discord developer portal, in .env")
        return self.discord_token.get_secret_value()


def load_config(env_file: Path | None = Path(".env"), **overrides: Any) -> BotConfig:
    """Reads the environment and `env_file`. Raises `ConfigError` for the first value that cannot be used."""
    try:
        return BotConfig(_env_file=env_file, **overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        secret = "TOKEN" in name or "KEY" in name
        found = "a value" if secret else repr(first["input"])
        wanted = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        raise ConfigError(name, found, wanted) from error
