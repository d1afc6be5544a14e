"""From a classifier's labels to categories: which label means what, and which mean that nothing was found.

A model that puts each text into exactly one class needs a class for texts with nothing in them. That class is no
category: its score is high for harmless texts. Those that are called so in plain words (`NEUTRAL`) are left out; a
label that says nothing of its meaning (``LABEL_0``) is never guessed at, whoever serves the model has to name it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NEUTRAL = frozenset(
    """neutral none neither normal ok okay safe clean benign acceptable appropriate harmless sfw ham
    hate_free non_hate nonhate not_hate nothate no_hate non_hateful nonhateful not_hateful not_hate_speech
    non_toxic nontoxic not_toxic no_toxic non_offensive nonoffensive not_offensive non_abusive not_abusive
    non_violent not_violent non_harmful not_harmful not_harm non_threat not_threat non_insult not_insult
    non_nsfw not_nsfw non_sexual not_sexual not_spam non_spam not_bullying not_cyberbullying""".split()
)
"""Labels that mean "nothing found", in lower case with every other mark as an underscore."""
_SAYS_NOTHING = re.compile(r"(?:label|class|category)?_?\d+")

Naming = Mapping[str, str | None]
"""What labels are called instead; None for one that is no category."""


class LabelError(ValueError):
    """The labels can't be used as they are; the message says which, and what to do."""


@dataclass(frozen=True)
class Labels:
    """`names` are the model's, in the order of its scores. `parts` are, for each of `categories`, the places of its
    labels among them; `left_out` are labels that are no category."""

    names: tuple[str, ...]
    categories: tuple[str, ...]
    parts: tuple[tuple[int, ...], ...]
    left_out: tuple[str, ...]


def read_labels(names: Mapping[int, str], naming: Naming | None = None) -> Labels:
    """What `naming` says of a label counts, else the label's own name. Raises `LabelError`."""
    given = dict(naming or {})
    in_order = tuple(str(names[place]) for place in sorted(names))
    _check(in_order, given)
    places: dict[str, list[int]] = {}
    left_out = []
    for place, name in enumerate(in_order):
        category = given[name] if name in given else _own_name(name)
        if category is None:
            left_out.append(name)
        else:
            places.setdefault(category, []).append(place)
    if not places:
        raise LabelError(f"none of its labels is a category: {', '.join(in_order)}")
    return Labels(in_order, tuple(places), tuple(map(tuple, places.values())), tuple(left_out))


def is_neutral(name: str) -> bool:
    """Whether a label says by its name that nothing was found."""
    return _plain(name) in NEUTRAL


def _own_name(name: str) -> str | None:
    return None if is_neutral(name) else name


def _check(names: tuple[str, ...], given: Naming) -> None:
    if len(set(names)) < len(names):
        raise LabelError(f"two of its labels have one name: {', '.join(names)}")
    if strangers := sorted(given.keys() - set(names)):
        raise LabelError(f"it has no label {', '.join(strangers)}; it has {', '.join(names)}")
    if empty := [name for name, category in given.items() if category is not None and not category.strip()]:
        raise LabelError(f"the label {empty[0]} is given an empty name; null says that it is no category")
    if nameless := [name for name in names if name not in given and _SAYS_NOTHING.fullmatch(_plain(name))]:
        raise LabelError(
            f"nothing says what its labels {', '.join(nameless)} mean; name each of them, null for what is no category"
        )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")
