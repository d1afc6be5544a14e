"""Clean text: what the model wrote, what members type, and what is shown on Discord."""

from bot.story.hygiene.member_text import clean_member_text
from bot.story.hygiene.neutralise import neutralise
from bot.story.hygiene.tidy import tidy

__all__ = ["clean_member_text", "neutralise", "tidy"]
