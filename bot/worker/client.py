"""The client of the worker, or of any other server that speaks the OpenAI completions API (vLLM, llama.cpp, hosted)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import openai

from bot.errors import WorkerBroken, WorkerDown, WorkerError, WorkerRefused, WorkerSlow
from bot.worker import bodies, cards, moderations, tokenizing, transport
from bot.worker.assembly import Assembly
from bot.worker.moderations import BackendClient, ModerationBackend, Scores
from bot.worker.refusals import refused_fields, refuses_many
from bot.worker.streaming import completions_of, read_stream
from bot.worker.translation import not_ready, translate
from bot.worker.transport import open_client, root_of
from bot.worker.values import Completion, CompletionRequest, ModelCard, RewriteRequest

log = logging.getLogger(__name__)

STREAM_OPTIONS = "stream_options"
SEED_SPACE = 2**31


@dataclass
class Learned:
    """What one server has shown of itself; forgotten when it fails, as another may stand there afterwards."""

    card: ModelCard | None = None
    unknown_fields: frozenset[str] = frozenset()
    is_one_at_a_time: bool = False
    dialects: dict[str, tokenizing.Dialect] = field(default_factory=dict)


class WorkerClient:
    """Asks one server. Every method raises only `WorkerError`s, and gives up after `timeout_s` seconds in all.

    `model` names one of the server's models; None takes its first. Cancelling a call closes its HTTP stream, by
    which the server knows to stop. Nothing is retried, except without what the server says that it cannot do.

    Texts are scored by `moderation` where it is given, else by the server itself, within `moderation_timeout_s`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        model: str | None,
        timeout_s: float,
        *,
        moderation: ModerationBackend | None = None,
        moderation_timeout_s: float = 15.0,
    ) -> None:
        self._root = root_of(base_url)
        self._model = model
        self._timeout_s = timeout_s
        self._client = open_client(self._root, api_key, timeout_s)
        self._learned = Learned()
        self._moderation_timeout_s = moderation_timeout_s
        self._backend = None if moderation is None else BackendClient(moderation, moderation_timeout_s)

    async def close(self) -> None:
        """Closes the connections. The client cannot be used afterwards."""
        await self._client.close()
        if self._backend is not None:
            await self._backend.close()

    async def check_ready(self) -> None:
        """Returns where the server says that it can answer; raises `WorkerDown` with the reason where it cannot yet."""
        async with self._asking():
            try:
                answer = await self._get(f"{self._root}/health")
            except openai.APIStatusError as error:
                if error.status_code not in (404, 405):
                    raise
                await self._describe()  # a server without /health is ready when it can name its model
            else:
                if isinstance(answer, Mapping) and answer.get("status") in ("loading", "failed"):
                    raise WorkerDown(not_ready(answer))

    async def describe(self, *, anew: bool = False) -> ModelCard:
        """What the server says of its model; asked once, and again after a failure, or where it must be known `anew`.

        A server that was restarted with other models has shown nothing of them yet, so everything learned is forgotten.
        """
        async with self._asking():
            return await self._describe_anew() if anew else await self._describe()

    async def count_tokens(self, text: str, model: str | None = None) -> int | None:
        """How many tokens `text` is for the model, without any special ones; None where the server cannot count.

        `model` names another one of the server's: the card's `rewriter`.
        """
        async with self._asking():
            name = await self._name() if model is None else model
            dialect = self._learned.dialects.get(name)
            if dialect is None:
                self._learned.dialects[name], count = await tokenizing.find_dialect(self._post, name, text)
                return count
            return await tokenizing.count(self._post, dialect, name, text)

    async def complete(self, request: CompletionRequest) -> list[Completion]:
        """The `n` answers by index.

        Where the server gives only one answer per request, it is asked `n` times, one after the other (its cache
        holds the prompt), row i with the seed `request.seed + i`.
        """
        async with self._asking():
            if request.n == 1:
                return await self._ask(request)
            return await self._ask_many(request)

    async def rewrite(self, request: RewriteRequest) -> list[Completion]:
        """The `n` other wordings by index, each the whole new middle. For a card's `rewriter` only."""
        async with self._asking():
            return await self._ask(request)

    async def can_moderate(self) -> bool:
        """Whether there is anybody to `moderate`: another server, or a moderation model of this one."""
        return self._backend is not None or (await self.describe()).moderator is not None

    async def moderate(self, texts: Sequence[str]) -> list[Scores]:
        """The scores of each text, in their order. Raises `WorkerRefused` where nobody scores texts."""
        if not texts:
            return []
        if self._backend is not None:
            return await self._backend.moderate(texts)
        async with self._asking(self._moderation_timeout_s):
            # One that had no such model may have been restarted with one; one that lost it refuses, and is forgotten.
            moderator = (await self._describe()).moderator or (await self._describe_anew()).moderator
            if moderator is not None:
                return await self._moderate(texts, moderator)
        raise WorkerRefused("the server lists no moderation model (MODERATION_MODEL names one for the worker)")

    async def _moderate(self, texts: Sequence[str], moderator: ModelCard) -> list[Scores]:
        answer = await moderations.ask(self._post, texts, None)  # the worker has one model for this
        if answer.model != moderator.id:
            self._learned = Learned()  # it was restarted with another
        return answer.scores

    async def _ask_many(self, request: CompletionRequest) -> list[Completion]:
        if self._learned.is_one_at_a_time:
            return await self._ask_singly(request, range(request.n))
        try:
            answers = await self._ask(request)
        except openai.APIStatusError as error:
            if not refuses_many(error):
                raise
            answers = []
        missing = sorted(set(range(request.n)) - {answer.index for answer in answers})
        if missing:
            log.warning("the worker gives one answer per request: asking %d times instead", len(missing))
            self._learned.is_one_at_a_time = True
            answers += await self._ask_singly(request, missing)
        return sorted(answers, key=lambda answer: answer.index)

    async def _ask_singly(self, request: CompletionRequest, indexes: Iterable[int]) -> list[Completion]:
        answers = []
        for index in indexes:
            seed = request.seed if index == 0 else (request.seed + index) % SEED_SPACE
            answer = (await self._ask(replace(request, n=1, seed=seed)))[0]
            answers.append(replace(answer, index=index))
        return answers

    async def _ask(self, request: CompletionRequest | RewriteRequest) -> list[Completion]:
        """One request, sent again where the server says that it does not know an optional field."""
        extra: Mapping[str, object] = {}
        optional: dict[str, object] = {}
        if isinstance(request, CompletionRequest):
            extra = request.extra
            optional = {**extra, STREAM_OPTIONS: {"include_usage": True}}
        while True:
            fields = {k: v for k, v in optional.items() if k not in self._learned.unknown_fields}
            try:
                return await self._stream(request, fields)
            except openai.APIStatusError as error:
                unknown = refused_fields(error, fields)
                if not unknown:
                    raise
                if unknown & extra.keys():
                    unknown |= extra.keys()  # it named one: the others are as foreign to it
                log.warning("the worker does not know %s: asking without", ", ".join(sorted(unknown)))
                self._learned.unknown_fields |= unknown

    async def _stream(
        self, request: CompletionRequest | RewriteRequest, fields: Mapping[str, object]
    ) -> list[Completion]:
        body = bodies.body_of(request)
        name = request.model if isinstance(request, RewriteRequest) else await self._name()
        stream = await self._client.completions.create(
            model=name, prompt=body.prompt, stream=True, extra_body={**body.fields, **fields}
        )
        assembly = Assembly(request.n, max_chars=body.max_chars)
        async with stream:
            await read_stream(stream, assembly)
        return completions_of(assembly, request)

    async def _describe(self) -> ModelCard:
        if self._learned.card is None:
            self._learned.card = await self._fetch_card()
        return self._learned.card

    async def _describe_anew(self) -> ModelCard:
        card = await self._fetch_card()
        if card != self._learned.card:
            self._learned = Learned(card=card)
        return card

    async def _fetch_card(self) -> ModelCard:
        try:
            listed = await self._get("/models")
        except openai.APIStatusError as error:
            if self._model is None or error.status_code not in (404, 405):
                raise
            return ModelCard(self._model)  # a server that lists nothing, and a host who knows its model's name
        entries = cards.list_models(listed)
        entry = cards.find_model(entries, self._model)
        card = cards.read_card(entry, entries)
        if card.context_tokens is None and cards.is_llama_cpp(entry):
            card = replace(card, context_tokens=cards.context_from_props(await self._get(f"{self._root}/props")))
        return card

    async def _name(self) -> str:
        return self._model if self._model is not None else (await self._describe()).id

    async def _get(self, path: str) -> object:
        return await transport.as_json(self._client.get(path, cast_to=object))

    async def _post(self, path: str, body: Mapping[str, object]) -> object:
        return await transport.post(self._client, self._root, path, body)

    @asynccontextmanager
    async def _asking(self, timeout_s: float | None = None) -> AsyncIterator[None]:
        """The rim around every call: one deadline, the bot's errors, and forgetting after a failure."""
        try:
            async with asyncio.timeout(self._timeout_s if timeout_s is None else timeout_s):
                yield
        except TimeoutError as error:
            raise WorkerSlow() from error
        except openai.OpenAIError as error:
            translated = translate(error)
            self._forget_after(translated)
            raise translated from error
        except WorkerError as error:
            self._forget_after(error)
            raise

    def _forget_after(self, error: WorkerError) -> None:
        if isinstance(error, WorkerDown | WorkerBroken | WorkerRefused):
            self._learned = Learned()
