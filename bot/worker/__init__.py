"""How we ask the model: the only importer of the openai client."""

from bot.worker.client import WorkerClient
from bot.worker.moderations import ModerationBackend, Scores
from bot.worker.values import Ability, Completion, CompletionRequest, ModelCard, RewriteRequest

__all__ = [
    "Ability",
    "Completion",
    "CompletionRequest",
    "ModelCard",
    "ModerationBackend",
    "RewriteRequest",
    "Scores",
    "WorkerClient",
]
