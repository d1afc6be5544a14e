"""`talewright data`: makes, checks and shows datasets of stories."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PREPARE = """Reads sources, cleans them, splits them by story or book, and writes a dataset folder with a manifest.
Either --config, or one --source or more; the other flags override what the file says."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; heavy imports wait until it runs."""
    parser = subparsers.add_parser("data", help="make, check and show datasets of stories", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    _add_prepare(actions)
    check = actions.add_parser("check", help="verify a dataset's hashes and print its counts")
    check.add_argument("folder", type=Path)
    check.set_defaults(run=run_check)
    show = actions.add_parser("show", help="print some stories of a dataset")
    show.add_argument("folder", type=Path)
    show.add_argument("--num", type=int, default=3, help="how many (default 3)")
    show.add_argument("--split", choices=("train", "validation", "test"), default="train")
    show.add_argument("--seed", type=int, default=0, help="another seed draws other stories")
    show.add_argument("--max-chars", type=int, help="print only the first N characters of each")
    show.set_defaults(run=run_show)


def _add_prepare(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    prepare = actions.add_parser("prepare", help="make a dataset folder from sources", description=PREPARE)
    given = prepare.add_mutually_exclusive_group(required=True)
    given.add_argument("--config", type=Path, help="YAML file; its paths start from --root")
    given.add_argument(
        "--source", action="append", metavar="KIND:PLACE", help="text:stories/, gutenberg:book.txt, hf:NAME"
    )
    prepare.add_argument("--out", type=Path, required=True, help="the dataset folder; must not be there yet")
    prepare.add_argument("--root", type=Path, help="where paths start (default: the file's folder, or this one)")
    prepare.add_argument("--force", action="store_true", help="replace a dataset that is there")
    prepare.add_argument("--validation", type=float, help="share of groups held out for validation")
    prepare.add_argument("--test", type=float, help="share of groups held out for tests")
    prepare.add_argument("--language", action="append", metavar="CODE", help="keep only this language (repeatable)")
    prepare.add_argument("--words-file", metavar="FILE", help="drop stories that hold one of these words")
    prepare.add_argument("--min-words", type=int, help="drop shorter stories")
    prepare.add_argument("--drop-leaks", action="store_true", default=None, help="drop from train what leaks")
    prepare.set_defaults(run=run_prepare)


def run_prepare(args: argparse.Namespace) -> int:
    """Exit code 0 when the dataset stands, 2 with a sentence where it cannot be made."""
    from models.train.data.checking import summarise
    from models.train.data.errors import DataError
    from models.train.data.prepare import prepare
    from models.train.data.settings import check_settings, load_settings

    try:
        values = load_settings(args.config) if args.config else {"sources": [parse_source(s) for s in args.source]}
        settings = check_settings(override(values, args), str(args.config or "--source"))
        root = args.root or (args.config.parent if args.config else Path())
        manifest = prepare(settings, root, args.out, force=args.force)
    except (DataError, OSError) as error:  # a full disk is told in a sentence as well
        print(f"talewright data prepare: {error}", file=sys.stderr)
        return 2
    print("\n".join(summarise(manifest)))
    print(args.out)
    return 0


def parse_source(spec: str) -> dict[str, str]:
    """`KIND:PLACE` → a source's settings; `nltk:` takes a folder or a corpus's name. Raises `SettingsError`."""
    from models.train.data.errors import SettingsError

    kind, colon, place = spec.partition(":")
    if not colon or not place:
        raise SettingsError(f"--source {spec!r}: wanted KIND:PLACE, as in text:stories/")
    if kind == "nltk" and not Path(place).exists():
        return {"kind": kind, "corpus": place}
    return {"kind": kind, "path": place}


def override(values: Mapping[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """The settings with what the flags say put in; flags that were not given change nothing."""
    from models.train.data.errors import SettingsError

    changed = dict(values)
    for path, value in {
        "splits.validation": args.validation,
        "splits.test": args.test,
        "cleaning.language.keep": args.language,
        "cleaning.words.file": None if args.words_file is None else str(Path(args.words_file).resolve()),
        "cleaning.length.min_words": args.min_words,
        "leakage.drop": args.drop_leaks,
    }.items():
        if value is None:
            continue
        *sections, key = path.split(".")
        inner = changed
        for section in sections:
            found = inner.get(section) or {}
            if not isinstance(found, dict):
                raise SettingsError(f"{section}: wanted a mapping, found {type(found).__name__}")
            inner[section] = inner = dict(found)
        inner[key] = value
    return changed


def run_check(args: argparse.Namespace) -> int:
    """Exit code 0 where the dataset is whole, 1 where it is damaged, 2 where there is none."""
    from models.train.data.checking import find_damage, summarise
    from models.train.data.errors import DatasetError
    from models.train.data.reading import read_manifest

    try:
        damage = find_damage(args.folder)
        print("\n".join(summarise(read_manifest(args.folder))))
    except DatasetError as error:
        print(f"talewright data check: {error}", file=sys.stderr)
        return 2
    for sentence in damage:
        print(f"talewright data check: {sentence}", file=sys.stderr)
    print("damaged" if damage else "all hashes fit")
    return 1 if damage else 0


def run_show(args: argparse.Namespace) -> int:
    """Exit code 0, or 2 where there is no such dataset."""
    from models.train.data.checking import draw_stories
    from models.train.data.errors import DatasetError

    try:
        records = draw_stories(args.folder, args.split, args.num, args.seed)
    except DatasetError as error:
        print(f"talewright data show: {error}", file=sys.stderr)
        return 2
    for record in records:
        print(f"--- {record['title'] or '(no title)'}  [{record['group']}; {record['licence']}]")
        if record["premise"]:
            print(f"premise: {record['premise']}")
        if record["tags"]:
            print(f"tags: {', '.join(record['tags'])}")
        print(record["text"][: args.max_chars], end="\n\n")
    return 0
