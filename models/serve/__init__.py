"""The HTTP rim of the worker: OpenAI's completions protocol in front of an engine.

A request's way: `protocol` reads it, `validate` checks it against the model and the limits, `runner` queues it for
the one thread that owns the model, `ticket` carries the events back, `answers` turns them into JSON, `app` ties it
together. `config` reads the environment, `cli` starts it all.
"""
