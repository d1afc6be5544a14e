"""The rules that the published description cannot express, for any request; they need no description to run."""

from __future__ import annotations

from collections.abc import Iterator

from tests.contract.callback_rules import callback_faults
from tests.contract.command_rules import command_faults
from tests.contract.component_rules import COMPONENT_RULES
from tests.contract.message import message_in
from tests.contract.message_rules import MESSAGE_RULES
from tests.contract.recorded import Recorded


def rule_faults(request: Recorded) -> Iterator[str]:
    """What the rules have against a request."""
    message = message_in(request)
    if message is not None:
        for rule in (*MESSAGE_RULES, *COMPONENT_RULES):
            yield from rule(message)
    yield from callback_faults(request)
    yield from command_faults(request)
    if request.reason is not None and len(request.reason) > 512:
        yield f"an audit log reason of {len(request.reason)} characters, at most 512"
