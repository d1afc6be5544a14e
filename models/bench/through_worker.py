"""The process of a client: it asks a worker over HTTP and reads the streams: `python -m models.bench.through_worker`.

The worker is the real one, started here as a host starts it, on loopback. Its memory is what counts.
"""

from __future__ import annotations

import http.client
import json
import queue
import re
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from models.bench.environments import environment_with
from models.bench.runners.runner import Asked, Notes, main

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "from bot.cli import main; raise SystemExit(main())"
"""What `talewright` is, for the modules of this tree."""
ANNOUNCEMENT = re.compile(r"^worker listening on http://([\d.]+):(\d+)$", re.MULTILINE)
READY_S = 600.0
STOP_S = 30.0
ASK_S = 0.2
WAIT_S = 0.05


class WorkerFailed(Exception):
    """The worker did not start, or answered with an error."""


class Stream:
    """One request on its way, read in a thread: `(row, number of tokens)` or an error go into the queue."""

    def __init__(self, address: tuple[str, int], model: str, asked: Asked, heard: queue.SimpleQueue[Any]) -> None:
        self._address = address
        self._model = model
        self._asked = asked
        self._heard = heard
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._read()
        except Exception as error:  # whatever a connection or the worker brings: the other thread raises it
            self._heard.put(error)

    def _read(self) -> None:
        with closing(http.client.HTTPConnection(*self._address)) as connection:
            body, headers = json.dumps(self._body()), {"Content-Type": "application/json"}
            connection.request("POST", "/v1/completions", body, headers)
            self._hear(connection.getresponse())

    def _hear(self, answer: http.client.HTTPResponse) -> None:
        left = [self._asked.max_tokens] * self._asked.n
        if answer.status != 200:
            raise WorkerFailed(f"the worker answered {answer.status}: {answer.read(500).decode(errors='replace')}")
        while line := answer.readline():
            if not line.startswith(b"data: {"):
                continue
            said = json.loads(line[6:])
            if "error" in said:
                raise WorkerFailed(str(said["error"]))
            for choice in said["choices"]:
                row = choice["index"]
                # A chunk is a token, or several where the first ones made no text: the end brings the rest.
                count = left[row] if choice["finish_reason"] else min(1, left[row])
                left[row] -= count
                if count:
                    self._heard.put((self._asked.id, row, count))

    def _body(self) -> dict[str, Any]:
        asked = self._asked
        return {
            "model": self._model,
            "prompt": list(asked.prompt),
            "n": asked.n,
            "max_tokens": asked.max_tokens,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "seed": asked.seed,
            "stream": True,
        }


class Client:
    """Answers what is added; see `runner.Answerer`. The tokens' ids are not known: 0 stands for each."""

    def __init__(self, address: tuple[str, int], model: str, worker: subprocess.Popen[bytes] | None) -> None:
        self._worker = worker
        self._address = address
        self._model = model
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._left: dict[str, int] = {}

    def add(self, asked: Asked) -> None:
        self._left[asked.id] = asked.n * asked.max_tokens
        Stream(self._address, self._model, asked, self._heard)

    @property
    def pid(self) -> int | None:
        """The worker's, where this client has started it."""
        return None if self._worker is None else self._worker.pid

    def close(self) -> None:
        """Ends the worker."""
        if self._worker is not None:
            _stop(self._worker)

    @property
    def has_work(self) -> bool:
        return bool(self._left)

    def step(self, notes: Notes) -> None:
        try:
            heard = self._heard.get(timeout=WAIT_S)
        except queue.Empty:
            return
        if isinstance(heard, Exception):
            raise heard
        request_id, row, count = heard
        notes.wrote(request_id, row, [0] * count)
        self._left[request_id] -= count
        if self._left[request_id] == 0:
            del self._left[request_id]


def load(folder: Path, options: dict[str, Any]) -> Client:
    """Starts a worker with these weights and waits until it is ready; it ends with this process."""
    log = Path(options["worker_log"])
    settings = {
        "CACHE_MB": str(options["cache_bytes"] >> 20),
        "QUANTIZE": options["quantize"],
        "THREADS": str(options["threads"]),
        "WORKER_API_KEY": "",
        "MODEL_REVISION": "",
        "PYTHONPATH": str(ROOT),
    }
    where = ("--model", str(folder), "--host", "127.0.0.1", "--port", "0")
    with log.open("wb") as written:
        process = subprocess.Popen(  # noqa: S603  # this project's own command
            [sys.executable, "-c", COMMAND, "worker", *where, "--device", options["device"]],
            stdout=written,
            stderr=written,
            stdin=subprocess.DEVNULL,
            cwd=log.parent,  # no .env of a real worker is there
            env=environment_with(settings),
        )
    try:
        return Client(_wait_ready(process, log), folder.name, process)
    except BaseException:
        _stop(process)
        raise


def _wait_ready(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise WorkerFailed(f"the worker ended with code {process.returncode}; {log} says why")
        found = ANNOUNCEMENT.search(log.read_text("utf-8", "replace"))
        if found is not None and _is_ready((found[1], int(found[2]))):
            return found[1], int(found[2])
        time.sleep(ASK_S)
    raise WorkerFailed(f"the worker was not ready within {READY_S:.0f} s")


def _is_ready(address: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(*address, timeout=READY_S)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except ConnectionError:  # announced, not listening yet
        return False
    finally:
        connection.close()
    if said["status"] == "failed":
        raise WorkerFailed(str(said["detail"]))
    return answer.status == 200


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(load, sys.argv[1], sys.argv[2])
