"""`talewright evaluate`: bits per byte and perplexity of a checkpoint on held-out texts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; heavy imports wait until it runs."""
    parser = subparsers.add_parser("evaluate", help="score a checkpoint on held-out text", description=__doc__)
    parser.add_argument("model", help="checkpoint folder or hub name")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="held-out text files")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    parser.add_argument("--max-chars", type=int, help="score only the first N characters of each file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 0, or 2 where a file or the model cannot be read."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from models.evaluate.bits import NothingToScore, score_text
    from models.train.sources import SEPARATOR

    missing = [str(path) for path in args.text if not path.is_file()]
    if missing:
        print(f"talewright evaluate: no such file: {', '.join(missing)}", file=sys.stderr)
        return 2
    try:
        tokenizer = AutoTokenizer.from_pretrained(args.model)
        model = AutoModelForCausalLM.from_pretrained(args.model, dtype="float32").eval()
    except (OSError, ValueError) as error:
        print(f"talewright evaluate: cannot load {args.model}: {error}", file=sys.stderr)
        return 2
    scores = {}
    for path in args.text:
        text = path.read_text(encoding="utf-8").replace(SEPARATOR, "\n")[: args.max_chars]
        try:
            scores[path.name] = score_text(model, tokenizer, text).to_json()
        except NothingToScore as error:
            print(f"talewright evaluate: {path}: {error}", file=sys.stderr)
            return 2
        print(f"{path.name}: {scores[path.name]['bits_per_byte']:.3f} bits per byte", flush=True)
    mean = sum(float(s["bits_per_byte"]) for s in scores.values()) / len(scores)
    print(f"mean: {mean:.3f} bits per byte")
    if args.json:
        record = {
            "model": args.model,
            "max_chars": args.max_chars,
            "texts": scores,
            "mean_bits_per_byte": round(mean, 4),
        }
        args.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0
