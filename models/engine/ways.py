"""The ways of decoding: which class writes a request's rows, in a slot and on the generic path."""

from __future__ import annotations

from models.engine.beam_group import BeamGroup
from models.engine.beam_growth import BeamGrowth
from models.engine.contrastive_group import ContrastiveGroup
from models.engine.contrastive_growth import ContrastiveGrowth
from models.engine.group import Group
from models.engine.growth import Growth
from models.engine.request import Request


def growth_for(request: Request) -> type[Growth]:
    """In a slot."""
    if request.contrastive is not None:
        return ContrastiveGrowth
    return Growth if request.beams is None else BeamGrowth


def group_for(request: Request) -> type[Group]:
    """On the generic path."""
    if request.contrastive is not None:
        return ContrastiveGroup
    return Group if request.beams is None else BeamGroup
