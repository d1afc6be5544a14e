"""`talewright worker`: serves a model over HTTP."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from models.engine.environment import set_thread_environment
from models.serve.config import WorkerConfig, WorkerConfigError, load_config

if TYPE_CHECKING:
    from fastapi import FastAPI

    from models.serve.loaded import Loaded

log = logging.getLogger(__name__)

LISTENING = "worker listening on"
DRAIN_S = 3  # how long running requests may go on after a signal before they are cancelled


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; heavy imports wait until it runs. What is not given comes from the environment or .env."""
    parser = subparsers.add_parser("worker", help="serve a model to the bot", description=__doc__)
    parser.add_argument("--model", help="checkpoint folder or hub name")
    parser.add_argument("--masked-model", help="masked model's folder or hub name, for small rewrites; off for none")
    parser.add_argument("--moderation-model", help="classifier's folder or hub name, for /v1/moderations; off for none")
    parser.add_argument("--host", dest="worker_host", help="address to listen on")
    parser.add_argument("--port", dest="worker_port", help="port to listen on; 0 takes a free one")
    parser.add_argument("--device", help="auto, cpu, cuda or mps")
    parser.add_argument("--dtype", help="auto, float32, bfloat16 or float16")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 0 after a signal, 2 for a setting that cannot be used."""
    names = ("model", "masked_model", "moderation_model", "worker_host", "worker_port", "device", "dtype")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if "moderation_model" in given:
        given["moderation_url"] = ""  # a model that is named for this worker is served by it, whomever the bot asks
    try:
        config = load_config(**given)
        listener = _listen(config)
    except WorkerConfigError as error:
        print(f"talewright worker: {error}", file=sys.stderr)
        return 2
    logging.basicConfig(level=config.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    _warn_if_open(config)
    host, port = listener.getsockname()[:2]
    print(f"{LISTENING} http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    set_thread_environment(config.threads)
    app = build_app(config)
    _serve(app, config, listener)
    if app.state.server.runner.is_alive:
        # Still loading, or in a step of a very large model: Python cannot end such a thread in order.
        logging.shutdown()
        os._exit(0)
    return 0


def _listen(config: WorkerConfig) -> socket.socket:
    """A bound socket, so that a port that is taken is known before anything loads. Raises `WorkerConfigError`."""
    host, port = config.worker_host, config.worker_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        name = "WORKER_HOST and WORKER_PORT"
        raise WorkerConfigError(name, f"{host} and {port} ({error.strerror or error})", "a free address") from error


def _warn_if_open(config: WorkerConfig) -> None:
    if config.worker_api_key is None and config.worker_host not in ("127.0.0.1", "::1", "localhost"):
        log.warning("listening on %s without WORKER_API_KEY: whoever reaches it can use it", config.worker_host)


class _Ended(Exception):
    """A signal asked for the end."""


def _serve(app: FastAPI, config: WorkerConfig, listener: socket.socket) -> None:
    """Serves until a signal; running requests then have `DRAIN_S` seconds."""
    import uvicorn

    settings = uvicorn.Config(
        app, log_config=None, access_log=config.log_level == "DEBUG", timeout_graceful_shutdown=DRAIN_S
    )
    # uvicorn sends itself the signal once more after it has shut down in order: here that is the end, not an error.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    with contextlib.suppress(_Ended):
        uvicorn.Server(settings).run(sockets=[listener])


def _end(_number: int, _frame: object) -> None:
    raise _Ended


def build_app(config: WorkerConfig) -> FastAPI:
    """The application for `config`. The model loads in its own thread once the application has started."""
    from models.serve.app import create_app
    from models.serve.metrics import Metrics
    from models.serve.runner import Runner
    from models.serve.validate import Limits

    def load() -> Loaded:
        from models.serve import loading  # torch takes seconds to import, and /health is to answer meanwhile

        return loading.load(config)

    metrics = Metrics()
    runner = Runner(load, config.queue_size, metrics)
    return create_app(runner, metrics, Limits(config.max_n, config.max_tokens), config.worker_api_key)
