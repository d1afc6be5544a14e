"""Discord's AutoMod rules as the service reads them."""

from __future__ import annotations

import discord

from bot.service.filtering.automod import AutoModRule, Trigger

TRIGGERS = {
    discord.AutoModRuleTriggerType.keyword: Trigger.KEYWORDS,
    discord.AutoModRuleTriggerType.mention_spam: Trigger.MENTIONS,
    discord.AutoModRuleTriggerType.keyword_preset: Trigger.PRESETS,
}


def read_automod(rule: discord.AutoModRule) -> AutoModRule:
    """What can be read of a rule; triggers that we have no name for are OTHER."""
    trigger = rule.trigger
    return AutoModRule(
        name=rule.name,
        trigger=TRIGGERS.get(trigger.type, Trigger.OTHER),
        is_enabled=rule.enabled,
        keywords=tuple(trigger.keyword_filter or ()),
        patterns=tuple(trigger.regex_patterns or ()),
        allowed=tuple(trigger.allow_list or ()),
        exempt_roles=frozenset(rule.exempt_role_ids),
        has_exempt_channels=bool(rule.exempt_channel_ids),
        mention_limit=trigger.mention_limit,
    )
