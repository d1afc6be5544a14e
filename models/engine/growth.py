"""One request in its slot: its prompt is read in chunks, then its rows grow behind it, woven into each other.

Rows that have ended leave the batch; their columns stay as they are, hidden by the mask. A row that goes back for a
banned phrase is behind the others from then on, and writes over its columns once more. Where the slot has no room for
all rows at once, they grow in waves, one after the other over the same prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from models.engine.checkpoint import Checkpoint
from models.engine.events import Event, Prefilled, TokenLogprob
from models.engine.logprobs import describe_prompt
from models.engine.network import NetworkShape
from models.engine.request import Request
from models.engine.row import Row, make_rows
from models.engine.sampling import RowSampler
from models.engine.slots import Slot


@dataclass(frozen=True)
class Part:
    """A request's share of a step, not yet placed in a batch: see `network.Segment`. `wanted` counts from its rows."""

    slot: int
    ids: Sequence[int]
    positions: Sequence[int]
    columns: torch.Tensor
    width: int
    mask: torch.Tensor | None
    is_reading: bool
    wanted: Sequence[int]
    woven_from: int
    stride: int
    adapter: str | None
    wants_hidden: bool = False


@dataclass(frozen=True)
class Result:
    """What came of a part: `logits` [wanted, vocab], and `hidden` states [wanted, hidden] where it wants them."""

    logits: torch.Tensor
    hidden: torch.Tensor | None = None


class Growth:
    """Ask for a `part`, have it computed, give its result to `absorb`; draw while it is `asking`; until `is_over`."""

    def __init__(
        self, request: Request, checkpoint: Checkpoint, slot: Slot, shape: NetworkShape, num_columns: int
    ) -> None:
        self.request = request
        self.is_ahead = False  # set, where a decoder writes its rows, which stand apart then; see `gpu.decoder`
        self.slot = slot
        self._checkpoint = checkpoint
        self._shape = shape
        self._rows = make_rows(request, checkpoint)
        room = num_columns - len(request.prompt_ids)
        self._wave_size = max(1, min(request.n, room // max(1, request.max_tokens - 1)))
        self._num_begun = 0
        self._wave: list[Row] = []
        self._live: list[int] = []  # places in the wave
        self._mask: torch.Tensor | None = None  # of the live rows, over all columns that the wave may fill
        self._asking: list[int] = []  # places in the wave that want a token …
        self.asked = torch.empty(0)  # … and the logits [rows that ask, vocab] that it is drawn from
        self._unsaid: list[Event] = []
        self._prompt_logits: list[torch.Tensor] = []
        self._first_logits: torch.Tensor | None = None  # [vocab]: behind the prompt, once that is read

    @property
    def is_reading(self) -> bool:
        return self._first_logits is None

    @property
    def is_over(self) -> bool:
        return not (self.is_reading or self._live or self._asking) and self._num_begun == len(self._rows)

    @property
    def asking(self) -> list[RowSampler]:
        """Of the rows that want a token now, each from its row of `asked`; they get them by `take`."""
        return [self._wave[place].sampler for place in self._asking]

    @property
    def live(self) -> list[tuple[int, Row]]:
        """The rows that are being written, with their places in the wave."""
        return [(place, self._wave[place]) for place in self._live]

    @property
    def num_generated(self) -> int:
        return sum(row.num_tokens for row in self._rows)

    def part(self, max_read: int) -> Part:
        """What is to be computed next; of a prompt at most `max_read` tokens."""
        return self._read(max_read) if self.is_reading else self._write()

    def absorb(self, part: Part, result: Result) -> list[Event]:
        """Goes on from what came of the part."""
        return self._have_read(part, result.logits) if part.is_reading else self._have_written(part, result.logits)

    def _read(self, max_read: int) -> Part:
        start, prompt = len(self.slot.tokens), self.request.prompt_ids
        end = min(start + max_read, len(prompt))
        count = end - start
        columns = torch.arange(start, end, device=self._shape.device)
        mask = None
        if start > 0 and count > 1:
            mask = torch.full((count, end), -torch.inf, device=columns.device, dtype=self._shape.dtype)
            mask = mask.triu_(start + 1)
        wanted = range(count) if self.request.prompt_logprobs else [count - 1] if end == len(prompt) else ()
        place = (self.slot.index, prompt[start:end], range(start, end), columns, end, mask)
        return Part(*place, True, wanted, woven_from=end, stride=1, adapter=self.request.adapter)

    def _have_read(self, part: Part, logits: torch.Tensor) -> list[Event]:
        self.slot.tokens += part.ids
        if self.request.prompt_logprobs:
            self._prompt_logits.append(logits)
        if len(self.slot.tokens) < len(self.request.prompt_ids):
            return []
        self._first_logits = logits[-1]
        events: list[Event] = [Prefilled(self.request.id, len(self.slot.tokens), self._described_prompt())]
        if self.request.max_tokens == 0:
            self._num_begun = len(self._rows)
            return [*events, *(row.end_unwritten() for row in self._rows)]
        # Said together with the first tokens, so that a request of which none can be drawn has said nothing yet.
        self._unsaid = events
        return self._begin()

    def _begin(self) -> list[Event]:
        """The prompt has been read, and there is something to write."""
        self._begin_wave()
        return []

    def _described_prompt(self) -> tuple[TokenLogprob, ...]:
        if not self.request.prompt_logprobs:
            return ()
        logits, self._prompt_logits = torch.cat(self._prompt_logits), []
        num_top = self.request.num_logprobs or 0
        return describe_prompt(self._checkpoint.tokenizer, logits, self.request.prompt_ids, num_top)

    def _begin_wave(self) -> None:
        """The next rows ask for their first token."""
        assert self._first_logits is not None  # noqa: S101  # the prompt has been read
        self._wave = self._rows[self._num_begun : self._num_begun + self._wave_size]
        self._num_begun += len(self._wave)
        self.slot.rows, self.slot.stride, self.slot.pitch = [[] for _ in self._wave], len(self._wave), 1
        if self.is_ahead:
            self.slot.stride, self.slot.pitch = 1, self.request.max_tokens - 1
        self._ask(range(len(self._wave)), self._first_logits.expand(len(self._wave), -1))

    def _ask(self, places: Sequence[int], logits: torch.Tensor) -> None:
        self._asking, self.asked = list(places), logits

    def _write(self) -> Part:
        stride, start = self.slot.stride, len(self.slot.tokens)
        lengths = [len(self.slot.rows[place]) for place in self._live]
        columns = [start + length * stride + place for length, place in zip(lengths, self._live, strict=True)]
        width = max(columns) + 1
        mask = None if self._mask is None else self._mask[:, :width]
        if mask is not None and min(lengths) < max(lengths):
            mask = self._without_later(mask, lengths)
        ids = [self._wave[place].last_token for place in self._live]
        positions = [start + length for length in lengths]
        where = torch.tensor(columns, device=self._shape.device)
        place, wanted = (self.slot.index, ids, positions, where, width, mask), range(len(ids))
        return Part(*place, False, wanted, woven_from=start, stride=stride, adapter=self.request.adapter)

    def _have_written(self, part: Part, logits: torch.Tensor) -> list[Event]:
        for place, token in zip(self._live, part.ids, strict=True):
            self.slot.rows[place].append(token)
        self._ask(self._live, logits)
        return []

    def take(self, tokens: Sequence[int]) -> list[Event]:
        """The rows that asked go on with these tokens; then others may ask, where a wave is over."""
        asking, self._asking = self._asking, []
        events, self._unsaid = self._unsaid, []
        events += [
            event
            for place, token, logits in zip(asking, tokens, self.asked, strict=True)
            for event in self._wave[place].accept(token, logits)
        ]
        for place in asking:
            del self.slot.rows[place][self._wave[place].num_tokens :]  # of a row that went back
        live = [place for place, row in enumerate(self._wave) if not row.is_over]
        if live != self._live:
            self._live, self._mask = live, self._mask_for(live)
        again = {place: logits for place in live if (logits := self._wave[place].again) is not None}
        if again:
            self._ask([*again], torch.stack([*again.values()]))
        elif not live and self._num_begun < len(self._rows):
            self._begin_wave()
        return events

    def take_ahead(self, tokens: Mapping[int, int]) -> list[Event]:
        """The rows in these places of the wave go on: their last tokens are in their columns, and these were drawn."""
        nothing, events = torch.empty(0), list[Event]()
        for place, token in tokens.items():
            self.slot.rows[place].append(self._wave[place].last_token)
            events += self._wave[place].accept(token, nothing)
        self._live = [place for place, row in self.live if not row.is_over]
        if not self._live and self._num_begun < len(self._rows):
            self._begin_wave()
        return events

    def _mask_for(self, live: Sequence[int]) -> torch.Tensor | None:
        """Each row sees the prompt and its own columns: [heads per kv head * live rows, columns]."""
        stride, start = self.slot.stride, len(self.slot.tokens)
        if stride == 1 or not live:
            return None
        behind = torch.arange(stride * (self.request.max_tokens - 1), device=self._shape.device) % stride
        places = torch.tensor(live, device=self._shape.device)
        mask = torch.zeros(len(live), start + len(behind), device=self._shape.device, dtype=self._shape.dtype)
        mask[:, start:].masked_fill_(behind[None] != places[:, None], -torch.inf)
        return mask.repeat(self._shape.heads_per_kv_head, 1)

    def _without_later(self, mask: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """Rows that went back are behind the others: of their own columns they see none that is still to be written."""
        step_of = (torch.arange(mask.shape[1], device=mask.device) - len(self.slot.tokens)) // self.slot.stride
        last = torch.tensor(lengths, device=mask.device).repeat(self._shape.heads_per_kv_head)
        return mask.masked_fill(step_of[None] > last[:, None], -torch.inf)
