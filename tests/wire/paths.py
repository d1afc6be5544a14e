"""The paths that tests speak of, as patterns."""

from __future__ import annotations

import re

ME = re.compile(r"/users/@me")
CALLBACK = re.compile(r"/interactions/\d+/[^/]+/callback")
WEBHOOK_MESSAGE = re.compile(r"/webhooks/\d+/[^/]+/messages/(@original|\d+)")
CHANNEL_MESSAGES = re.compile(r"/channels/\d+/messages")
CHANNEL_MESSAGE = re.compile(r"/channels/\d+/messages/\d+")
ANY_MESSAGE = re.compile(rf"{WEBHOOK_MESSAGE.pattern}|{CHANNEL_MESSAGE.pattern}")
