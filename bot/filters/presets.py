"""Ready-made rules for what communities ask for again and again. A server takes one over and tunes it like its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.filters.base import Action, TextKind
from bot.filters.levels import LISTED, Level
from bot.filters.rules import Rule, RuleKind


@dataclass(frozen=True)
class Preset:
    """Rules under their names, and levels of the ready-made lists where it chooses some."""

    title: str
    about: str
    rules: tuple[Rule, ...]
    levels: Mapping[str, Level] = field(default_factory=lambda: MappingProxyType({}))


_TYPED = frozenset(TextKind) - {TextKind.CANDIDATE, TextKind.REASON}
"""What members type for a story; a reason may have to quote."""

_LINKS = (
    Rule("Links", RuleKind.LINKS, category="links"),
    Rule("Invitations", RuleKind.INVITES, category="invitations"),
)
_SHAPES = (
    Rule("Shouting", RuleKind.SHAPE, ("caps",), "shouting", text_kinds=_TYPED),
    Rule("Long repeats", RuleKind.SHAPE, ("repeats",), "spam", text_kinds=_TYPED),
    Rule("Walls of lines and emojis", RuleKind.SHAPE, ("newlines", "emojis"), "spam", text_kinds=_TYPED),
    Rule("Stacked marks", RuleKind.SHAPE, ("marks",), "spam"),
)
_PRIVATE = (
    Rule(
        "E-mail addresses",
        RuleKind.REGEX,
        (r"\b[a-z0-9][a-z0-9._%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+\b",),
        "personal data",
        Action.MASK,
    ),
    Rule(
        "Phone numbers",
        RuleKind.REGEX,
        (
            r"(?:\+|\b00)\d{1,3}[ .()/-]{0,2}(?:\d{1,4}[ .()/-]{1,2}){2,4}\d{2,4}\b",  # +44 20 7946 0958
            r"(?:\+|\b00)\d{9,14}\b",
            r"\(\d{3}\) ?\d{3}[ .-]\d{4}\b",  # (555) 010-0199
            r"\b\d{3}[.-]\d{3}[.-]\d{4}\b",
        ),
        "personal data",
        Action.MASK,
    ),
    Rule(
        "Card and account numbers",
        RuleKind.REGEX,
        (
            r"\b(?:\d{4}[ -]){3}\d{4}\b",
            r"\b[45]\d{15}\b",
            r"\b[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){3,6}[A-Z0-9]{1,4}\b",  # an IBAN
        ),
        "personal data",
        Action.MASK,
        options={"case_sensitive": True},
    ),
    Rule(
        "Network addresses",
        RuleKind.REGEX,
        (r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b",),
        "personal data",
        Action.MASK,
    ),
    Rule(
        "Asking where somebody lives",
        RuleKind.WORDS,
        (
            "what is your address",
            "whats your address",
            "where do you live irl",
            "what school do you go to",
            "send me your number",
            "whats your phone number",
            "what is your phone number",
            "your real name irl",
        ),
        "personal data",
        Action.FLAG,
        text_kinds=_TYPED,
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "family": Preset(
            "For families and schools",
            "Every ready-made list at its strictest; no links, no invitations; personal data covered; no spam.",
            (*_LINKS, *_PRIVATE, *_SHAPES),
            MappingProxyType(dict.fromkeys(LISTED, Level.MILD)),
        ),
        "links": Preset("No links", "Refuses links and invitations to servers, the model’s own too.", _LINKS),
        "mentions": Preset(
            "No mass mentions",
            "Refuses @everyone, @here and roles, and more than 3 members in one text. The bot pings nobody anyway.",
            (
                Rule("Everyone and roles", RuleKind.MENTIONS, ("everyone", "roles"), "mentions"),
                Rule("Many members", RuleKind.MENTIONS, ("users",), "mentions", options={"max": 3}),
            ),
        ),
        "spam": Preset("No shouting, no spam", "Refuses capitals, long repeats, walls of lines and emojis.", _SHAPES),
        "privacy": Preset(
            "Personal data",
            "Covers e-mail addresses, phone, card and account numbers and IP addresses; tells moderators who asks for "
            "them.",
            _PRIVATE,
        ),
        "drugs": Preset(
            "Drugs",
            "Refuses names of hard drugs and talk about taking them. Medicine, wine and pipes pass.",
            (
                Rule(
                    "Names of drugs",
                    RuleKind.WORDS,
                    tuple(
                        "cocaine, heroin, methamphetamine*, crystal meth, crack cocaine, crack pipe, meth lab, mdma, "
                        "molly pills, ecstasy pills, lsd, dmt, pcp, ghb, ketamine, fentanyl, oxycontin, oxycodone, "
                        "magic mushrooms, shrooms, psilocybin, marijuana, cannabis, hashish, spice weed, bath salts "
                        "high, angel dust, xanax, adderall, speedball".split(", ")
                    ),
                    "drugs",
                ),
                Rule(
                    "Taking drugs",
                    RuleKind.WORDS,
                    tuple(
                        "smoke weed, smoking weed, smoked weed, smoke pot, smoking pot, smoke crack, smoking crack, "
                        "snort coke, snorting coke, do coke, doing coke, lines of coke, shoot up heroin, get stoned, "
                        "getting stoned, take acid, dropping acid, roll a blunt, rolling a blunt, bong hit*, "
                        "buy drugs, buying drugs, sell drugs, selling drugs, drug dealer*".split(", ")
                    ),
                    "drugs",
                ),
            ),
        ),
        "self-harm": Preset(
            "Self-harm",
            "Shows moderators what sounds as if a member meant themselves, so that somebody can ask. Refuses nothing.",
            (
                Rule(
                    "Somebody may need help",
                    RuleKind.WORDS,
                    tuple(
                        "kill myself, killing myself, end my life, ending my life, take my own life, want to die, "
                        "wanna die, wish i was dead, wish i were dead, better off dead, hang myself, cut myself, "
                        "cutting myself, hurt myself on purpose, no reason to live, dont want to live, "
                        "don't want to live, dont want to be alive, don't want to be alive, suicidal, "
                        "self harm, selfharm".split(", ")
                    ),
                    "self-harm",
                    Action.FLAG,
                    text_kinds=_TYPED,
                ),
            ),
        ),
        "scams": Preset(
            "Scams",
            "Refuses free Nitro, gift cards, giveaways of coins and the like, with a link or without.",
            (
                Rule(
                    "Scams",
                    RuleKind.WORDS,
                    tuple(
                        "free nitro, nitro for free, discord nitro gift, nitro giveaway, free steam gift*, "
                        "steam gift card*, free gift card*, claim your gift, claim your reward, claim your prize, "
                        "crypto giveaway, bitcoin giveaway, airdrop claim, claim airdrop, double your bitcoin, "
                        "double your crypto, dm me to earn, earn money from home, make money fast, "
                        "whatsapp me, telegram me, scan this qr code".split(", ")
                    ),
                    "scams",
                ),
                Rule(
                    "Discord’s tokens",
                    RuleKind.REGEX,
                    (r"\b[\w-]{23,28}\.[\w-]{6}\.[\w-]{27,40}\b",),
                    "secrets",
                    Action.MASK,
                    options={"case_sensitive": True},
                ),
            ),
        ),
        "classifier": Preset(
            "The classifier’s usual categories",
            "Shows moderators what scores high and refuses what scores higher. Needs a classifier (see /about); the "
            "names are those of OpenAI’s moderation.",
            tuple(
                Rule(
                    f"Classifier: {category}",
                    RuleKind.CATEGORY,
                    (category,),
                    category,
                    options={"flag": flag, "block": block},
                )
                for category, flag, block in (
                    ("hate", 0.5, 0.85),
                    ("hate/threatening", 0.4, 0.7),
                    ("harassment", 0.6, 0.9),
                    ("sexual", 0.6, 0.9),
                    ("sexual/minors", 0.15, 0.4),
                    ("violence/graphic", 0.7, 0.95),
                    ("self-harm", 0.5, 0.9),
                )
            ),
        ),
    }
)
"""By the names that commands call them."""
