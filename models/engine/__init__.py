"""Token ids in, events out: loads a causal LM and writes candidates. Knows nothing of HTTP and nothing of asyncio.

Reading order: `request` (what is asked), `events` (what comes back), `interface` (the steps in between), `weaving`
(the engine in which all requests move together), `growth` and `slots`; README.md has the picture. `row` writes one
candidate with the help of `params`, `sampling`, `stops`, `detokenize` and `logprobs`. `serial` and `group` are the
generic engine; `checkpoint` and `placement` load the model.
"""
