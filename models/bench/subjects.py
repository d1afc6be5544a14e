"""Who is measured: this engine, what the same libraries offer without it, and engines in environments of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from models.bench.environments import Environment

BASELINE = "generate, a call a candidate"
OWN = "models.bench.own"


@dataclass(frozen=True)
class Subject:
    """`key` is its name on the command line, `name` in tables.

    `module` runs in this project's environment where `environment` is None, else beside the runner, after its `export`
    where it `is_converted`. One that `can_serve` answers requests that come while others run. `precision` is that of
    the weights, `is_anywhere` says whether it runs on a GPU too.
    """

    key: str
    name: str
    module: str
    options: dict[str, Any] = field(default_factory=dict)
    environment: Environment | None = None
    is_converted: bool = False
    can_serve: bool = False
    precision: str = "float32"
    is_anywhere: bool = False

    @property
    def is_own(self) -> bool:
        """Whether it is run as a module of this project."""
        return self.module.startswith("models.")


ENGINES = {
    "none": Subject("engine", "engine", OWN, {"way": "engine"}, can_serve=True, is_anywhere=True),
    "int8": Subject(
        "engine-int8",
        "engine, int8",
        OWN,
        {"way": "engine", "quantize": "int8"},
        can_serve=True,
        precision="int8",
    ),
}

# Versions that were measured together. Torch is there only to convert the weights.
LLAMA_CPP = Environment(
    "llama-cpp",
    ("llama-cpp-python==0.3.36", "gguf==0.19.0", "safetensors==0.8.0"),
    # Some releases of GCC take the stores to AMX's tile configuration for dead, and then its kernels crash:
    # https://github.com/ggml-org/llama.cpp/issues/20824
    variables={"CMAKE_ARGS": "-DCMAKE_CXX_FLAGS='-fno-tree-dse -fno-dse'"},
)
OPENVINO = Environment(
    "openvino",
    ("openvino-genai==2026.4.1.0", "optimum-intel==2.2.0", "nncf==3.4.0", "torch==2.13.0"),
    unwanted=("torchvision",),  # only for pictures, and its builds seldom fit a CPU's torch
)
CTRANSLATE2 = Environment("ctranslate2", ("ctranslate2==4.8.5", "transformers==5.23.0", "torch==2.13.0"))

PEERS = (
    Subject("generic", "generic path", OWN, {"way": "serial"}, can_serve=True, is_anywhere=True),
    Subject("together", "generate, num_return_sequences", OWN, {"way": "together"}, is_anywhere=True),
    Subject("tutorial", BASELINE, OWN, {"way": "tutorial"}, is_anywhere=True),
    Subject("batching", "transformers, continuous batching", "with_transformers", can_serve=True),
    Subject("llama.cpp", "llama.cpp, Q8_0", "with_llama_cpp", {}, LLAMA_CPP, is_converted=True, precision="int8"),
    Subject(
        "openvino",
        "OpenVINO GenAI, int8",
        "with_openvino",
        {},
        OPENVINO,
        is_converted=True,
        can_serve=True,
        precision="int8",
    ),
    Subject(
        "ctranslate2", "CTranslate2, int8", "with_ctranslate2", {}, CTRANSLATE2, is_converted=True, precision="int8"
    ),
)
GROUPS = {
    "none": (),
    "transformers": ("generic", "together", "tutorial", "batching"),
    "all": tuple(peer.key for peer in PEERS),
}
CHOICES = (*GROUPS, *(peer.key for peer in PEERS))


def choose(quantize: tuple[str, ...], peers: tuple[str, ...]) -> list[Subject]:
    """The engine in each of these precisions, and the peers that are named, alone or by their group."""
    wanted = {key for name in peers for key in GROUPS.get(name, (name,))}
    return [ENGINES[name] for name in quantize] + [peer for peer in PEERS if peer.key in wanted]
