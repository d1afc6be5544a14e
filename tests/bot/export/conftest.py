"""The services' world, whose database is exported while it is open."""

from __future__ import annotations

from tests.bot.service.conftest import far, world

__all__ = ["far", "world"]
