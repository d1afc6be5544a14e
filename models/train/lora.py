"""Low-rank adaptation through PEFT: a frozen base and two small matrices for each layer that changes.

New markers get rows in the embedding and the output. PEFT trains those rows alone (`trainable_token_indices`) rather
than whole matrices (`modules_to_save`): with a vocabulary of 150,000 tokens that is some thousand numbers against half
a billion, and the base's own rows stay as they were.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import BitsAndBytesConfig, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from models.train.config import LoraConfig, TrainConfig
from models.train.errors import TrainConfigError, UnsupportedError
from models.train.precision import DTYPES, is_bf16_wanted
from models.train.pretrained import load_pretrained
from models.train.vocabulary import Vocabulary


def load_base(source: str, config: TrainConfig, lora: LoraConfig, vocabulary: Vocabulary) -> PreTrainedModel:
    """The model that the adapter changes, in the numbers that `lora.base` asks for."""
    bf16 = is_bf16_wanted(config.precision)
    if lora.base == "4bit":
        quantised = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16 if bf16 else torch.float32,
        )
        # Everything on one device: where each process has a GPU of its own, that is this process's.
        place = {"": torch.cuda.current_device()}
        base = load_pretrained(
            source, config, vocabulary, torch.float32, quantization_config=quantised, device_map=place
        )
        prepare: Any = prepare_model_for_kbit_training  # PEFT does not annotate it
        ready: PreTrainedModel = prepare(base, use_gradient_checkpointing=config.gradient_checkpointing)
        return ready
    auto = torch.bfloat16 if bf16 else torch.float32
    return load_pretrained(source, config, vocabulary, DTYPES.get(lora.base, auto))


def check_lora(lora: LoraConfig) -> None:
    """Raises `UnsupportedError` where this machine or installation cannot do what is asked."""
    if lora.base != "4bit":
        return
    if not torch.cuda.is_available():
        raise UnsupportedError("lora.base: 4bit (QLoRA) needs a CUDA GPU, and there is none; float32 or bfloat16 works")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise UnsupportedError("lora.base: 4bit needs bitsandbytes; pip install 'talewright[qlora]'")


def add_adapter(base: PreTrainedModel, lora: LoraConfig, vocabulary: Vocabulary) -> PeftModel:
    """Wraps the base; what is trained is float32. Raises `TrainConfigError` for targets that it does not have."""
    settings = PeftLoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # PEFT divides it by the rank; any number will do
        lora_dropout=lora.dropout,
        use_rslora=lora.rank_stabilised,
        target_modules=lora.targets,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in base.modules()),
        **_new_rows(base, vocabulary),
    )
    try:
        return get_peft_model(base, settings)
    except ValueError as error:
        raise TrainConfigError(f"lora.targets: {error}") from error


def _new_rows(base: PreTrainedModel, vocabulary: Vocabulary) -> dict[str, Any]:
    if not vocabulary.added:
        return {}
    rows = list(vocabulary.added)
    names = {id(module): name for name, module in base.named_modules()}
    inputs, outputs = base.get_input_embeddings(), base.get_output_embeddings()
    found = {names[id(inputs)].rpartition(".")[2]: rows}
    if outputs is not None and outputs.weight is not inputs.weight:
        found[names[id(outputs)].rpartition(".")[2]] = rows
    return {"trainable_token_indices": found}
