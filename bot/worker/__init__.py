"""How we ask the model: the only importer of the openai client."""

from bot.worker.client import WorkerClient
from bot.worker.values import Completion, CompletionRequest, ModelCard

__all__ = ["Completion", "CompletionRequest", "ModelCard", "WorkerClient"]
