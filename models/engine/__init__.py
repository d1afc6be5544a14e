"""Token ids in, events out: loads a causal LM and writes candidates. Knows nothing of HTTP and nothing of asyncio.

Reading order: `request` (what is asked), `events` (what comes back), `interface` (the steps in between), `serial`
(the engine that answers one request at a time) and `group` (the rows of one request over one shared prompt);
`row` writes one of them with the help of `params`, `sampling`, `stops`, `detokenize` and `logprobs`. `checkpoint` and
`placement` load the model.
"""
