"""`new`: a complete experiment's folder, for any command that prints a metric or after another experiment's contract.

Writes nothing before the command was tried on the source as it is. Judges nothing.
"""

import argparse
import json
import os
import re
import shlex
import shutil
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from harness import catalog, contract
from harness.command_line import Parser, number
from harness.contract import ROOT, Experiment
from harness.errors import ContractError, KeepError
from harness.judge import command
from harness.judge.clock import Stop
from harness.judge.fault import Fault
from harness.languages import READERS
from harness.manifest import MANIFEST
from harness.metric import MAXIMIZE, MINIMIZE, STDOUT, is_inside
from harness.python_source import declaration
from harness.records import Status
from harness.scaffold_texts import texts as scaffold_texts
from harness.show.pages import called
from harness.workplace import CannotCopy, copy, workplace

_LANGUAGES = {".py": "python", ".c": "c"}
# What makes an experiment of a command, and what holds where nothing is said; None must be.
_OF_COMMANDS: dict[str, Any] = {
    **dict.fromkeys(("source", "function", "eval_command", "metric", "goal")),
    **{"unit": "", "output": STDOUT, "with": [], "timeout": 60.0},
}
_PROJECT = "project"  # the folder that the command finds its files in
_MEMORY_MB = 1 << 14  # of addresses, of which programs take far more than of memory
_SOURCE_BYTES, _PROMPT_TOKENS = 1 << 16, 12000  # at least
# In stead of a source: what no language reads, and, for a command that only counts or compiles, nothing at all.
_UNUSABLE = (")\n", "")
_HOUSE = re.compile(rb"str\(Path\(__file__\)\.resolve\(\)\.parents\[\d\]\)")


def add_arguments(parser: Parser) -> Parser:
    add = parser.add_argument
    add("name", help="the new experiment's, under experiments/; or the path of a folder to be made")
    add("--source", metavar="F", help="the file with the function, below the current folder")
    add("--function", metavar="G", help="the one function that candidates replace")
    add("--eval-command", metavar="C", help="what is run, from the current folder, to measure the source")
    add("--metric", metavar="M", help="the name in the line `name: value` that the command prints")
    add("--goal", choices=(MINIMIZE, MAXIMIZE), help="where the metric should go")
    add("--unit", metavar="U", help="the metric's unit, `s` for seconds; default: none")
    add("--output", metavar="F", help="the file that the command writes the metric to, if not stdout")
    add("--with", nargs="+", metavar="PATH", help="files and folders that the command needs")
    add("--timeout", type=number(float, 0, 3600), metavar="S", help="seconds that a run may take (default: 60)")
    add("--like", metavar="EXPERIMENT", help="copy another experiment's contract instead")
    parser.set_defaults(**_OF_COMMANDS)
    return parser


def write(args: argparse.Namespace, taken: Collection[str]) -> str:
    """The folder, made; returns what to tell the user. `taken` are the words that loop.py reads as something else."""
    folder = _target(args.name)
    if folder.name in taken:
        raise ContractError(f"{folder.name} is a verb of loop.py.", "choose another name.")
    given = [name for name, default in _OF_COMMANDS.items() if getattr(args, name) != default]
    if args.like and given:
        raise ContractError(f"--like and {_option(given[0])} do not go together.", "a copy is edited by hand.")
    missing = [] if args.like else [_option(name) for name in _OF_COMMANDS if getattr(args, name) is None]
    if missing:
        raise ContractError(f"{', '.join(missing)} is missing.", "or --like EXPERIMENT copies another's contract.")
    with workplace() as scratch:
        draft = scratch / folder.name
        try:
            said = _copy(args.like, draft, folder) if args.like else _from_command(args, draft, folder)
            copy(draft, folder)
        except (CannotCopy, OSError) as fault:
            shutil.rmtree(folder, ignore_errors=True)
            fact = f"cannot write {folder}: {fault.strerror}" if isinstance(fault, OSError) else str(fault)
            hint = f"see that it may be read or written, and that there is room here and in {scratch.parent}."
            raise KeepError(f"{fact}.", hint) from None
    experiment, path = contract.load(folder), shlex.quote(os.path.relpath(folder))
    run = f"python loop.py {called(experiment)} --loop 10{'' if experiment.space else ' --model NAME'}"
    return f"{said}\nnext: read {path}/EXPERIMENT.md, commit the folder, {run}"


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _target(name: str) -> Path:
    """Where the folder will be; it must not be there yet."""
    folder = Path(name) if "/" in name else ROOT / "experiments" / name
    if not re.fullmatch(r"\w[\w-]*", folder.name):
        raise ContractError(f"{folder.name!r} is no name for an experiment.", "letters, digits, - and _.")
    if folder.exists() or ("/" not in name and name in catalog.names()):
        raise ContractError(f"there is an experiment or a folder {name} already.", "choose another name.")
    return folder.resolve()


def _house(folder: Path) -> str:
    """The expression by which the scripts of an experiment there find this house."""
    return "str(Path(__file__).resolve().parents[2])" if folder.parent == ROOT / "experiments" else ascii(str(ROOT))


def _copy(like: str, draft: Path, folder: Path) -> str:
    """Another's contract, under its new name."""
    model = contract.load(catalog.locate(like))
    copy(model.folder, draft, is_experiment=True)
    (draft / model.candidate_file).unlink(missing_ok=True)
    for path in draft.glob("*.py"):
        path.write_bytes(_HOUSE.sub(lambda _: _house(folder).encode(), path.read_bytes()))  # in whatever encoding
    path = draft / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8")) | {"name": draft.name}
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return f"{draft.name}: the contract of {model.name}, to start from; say in each file what is different here."


def _from_command(args: argparse.Namespace, draft: Path, folder: Path) -> str:
    """The contract for a command, tried."""
    path = _below(args.source, "--source")
    language = _LANGUAGES.get(path.suffix)
    if language is None or not path.is_file():
        is_there = "is not in one of the languages" if path.is_file() else "is no file"
        raise ContractError(f"--source {args.source} {is_there}.", f"a file that ends with {' or '.join(_LANGUAGES)}.")
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise KeepError(f"cannot read {path}: {fault}.", "it must be text in UTF-8.") from None
    signature = _signature(source, language, args)
    if args.output != STDOUT and os.path.isdir(args.output):
        raise ContractError(f"--output {args.output} is a folder.", "name the file that the command writes.")
    draft.mkdir()
    files = _gather(args, path, draft / _PROJECT)
    words = {
        "name": draft.name,
        "function": args.function,
        "source": path.as_posix(),
        "metric": args.metric,
        "extreme": "large" if args.goal == MAXIMIZE else "small",
        "signature": signature,
        "command": args.eval_command,
        "timeout": f"{args.timeout:g}",
        "output": args.output,
    }
    texts = scaffold_texts(words, language, _house(folder))
    texts["experiment.json"] = _manifest(args, draft.name, signature, source, bool(files))
    texts[f"naive{path.suffix}"] = source
    for name, text in texts.items():
        (draft / name).write_text(text, encoding="utf-8")
    shutil.copymode(path, draft / f"naive{path.suffix}")  # it may be the program that is run
    value = _try(contract.load(draft), args, source, files)
    return f"{draft.name}: {args.metric} is {value:g} with {args.source} as it is; written to {os.path.relpath(folder)}"


def _below(text: str, option: str) -> Path:
    path = Path(os.path.normpath(text))
    if not is_inside(str(path)):
        hint = "change to the folder that the command is run from, and name it from there."
        raise ContractError(f"{option} {text} is not below the current folder.", hint)
    return path


def _signature(source: str, language: str, args: argparse.Namespace) -> str:
    """How the function is declared, as the source has it."""
    unit = READERS[language].parse(source)
    found = [one for one in unit.functions if one.name == args.function]
    if len(found) == 1:
        head = found[0].text.partition("{")[0]
        return " ".join(head.split()) if language == "c" else declaration(source, args.function)
    if unit.first_error_line is not None and not found:
        raise ContractError(f"{args.source} line {unit.first_error_line} cannot be read.", "it must work as it is.")
    near = get_close_matches(args.function, [one.name for one in unit.functions], n=1)
    hint = (
        f"did you mean {near[0]}?" if near and not found else "it must be one function, outside of any other or class."
    )
    fact = f"is defined {len(found)} times" if found else "is not defined"
    raise ContractError(f"{args.function} {fact} in {args.source}.", hint)


def _gather(args: argparse.Namespace, source: Path, project: Path) -> Sequence[str]:
    """The files that the command names, and those that the user does, at their places; returns what there is."""
    try:
        words = shlex.split(args.eval_command)
    except ValueError as fault:
        raise ContractError(f"--eval-command {args.eval_command!r}: {fault}.", "it is run by a shell.") from None
    also = [_below(name, "--with") for name in getattr(args, "with")]
    for path in also:
        if not path.exists():
            raise ContractError(f"--with {path} is not there.", "name files and folders below the current one.")
    named = [Path(os.path.normpath(word)) for word in words if is_inside(word)]
    # A word may be too long for a name, which Path.exists raises.
    wanted = [*(path for path in named if path != Path() and os.path.exists(path)), *also]
    for path in wanted:
        place = project / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path != source:
            copy(path, place)
    return [str(path) for path in wanted if path != source]


def _try(experiment: Experiment, args: argparse.Namespace, source: str, files: Sequence[str]) -> float:
    """The metric of the source as it is. Without a source the command must fail: else it measures another file, or
    takes any candidate for right."""
    assert experiment.command is not None
    try:
        value = command.run(experiment, experiment.command, source, Stop()).value
    except Fault as fault:
        hint = f"it runs in a copy of {', '.join([args.source, *files])}; --with PATH adds what else it needs."
        if fault.status is Status.TIMED_OUT:
            hint = "--timeout S gives it more time."
        raise ContractError(f"the command does not work with {args.source} as it is: {fault.reason}.", hint) from None
    for unusable in _UNUSABLE:
        try:
            found = command.run(experiment, experiment.command, unusable, Stop()).value
        except Fault:
            return value
    raise ContractError(
        f"the command does not measure {args.source}: {args.metric} is {found:g} with that file emptied, too.",
        "it must find the file by a relative path and fail where it is wrong; --with PATH adds the file's package.",
    )


def _manifest(args: argparse.Namespace, name: str, signature: str, source: str, has_files: bool) -> str:
    path = _below(args.source, "--source")
    size_bytes = len(source.encode())
    language = _LANGUAGES[path.suffix]
    document = {
        "schema": 1,
        "name": name,
        "language": language,
        "target": args.function,
        "signature": signature,
        "files": {"seed": f"naive{path.suffix}", "candidate": f"candidate{path.suffix}"},
        "command": {
            "run": args.eval_command,
            "copy": _PROJECT if has_files else ".",
            "place": path.as_posix(),
            "output": args.output,
            "metric": args.metric,
            "goal": args.goal,
            "unit": args.unit,
        },
        "edit": "either",
        "tags": ["helpers"] if language == "python" else ["unrolling", "isa", "helpers"],
        "limits": {
            "timeout_s": args.timeout,
            "build_timeout_s": 60,
            "memory_mb": _MEMORY_MB,
            "source_bytes": max(_SOURCE_BYTES, 4 * size_bytes),
            "prompt_tokens": _PROMPT_TOKENS + size_bytes,
        },
    }
    return json.dumps(document, indent=2) + "\n"
