#!/usr/bin/env python3
"""loop.py: ask a model for one function, judge it, remember what happened, commit what won.

The loop itself is `search`, right below. The rest is the command line; a verb imports what it needs when it is called,
so that `--help` answers at once (docs/adr/0002).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.command_line import Parser, begin, fail, ignore_interrupts, number, refused, span_s
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.contract import Experiment
    from harness.judge.clock import Stop
    from harness.judge.judge import Judge
    from harness.search import Search
    from harness.show.views import View

# The judge times with one core beside it: numpy's threads would spin there. Set before anything imports numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")


async def search(search: Search, view: View) -> str:
    """The loop. Returns why it ended."""
    async with search:
        view.open(search.header())
        async for note in search.arrive():  # another machine: what was measured elsewhere is measured here first
            view.note(note)
        async for proposal in search.proposals(view):  # ask
            view.judging(proposal.number)
            attempt = await search.judge(proposal)  # judge
            search.keep(attempt)  # keep
            view.attempt(attempt, search.scores)  # show
        return search.ending


def run(args: argparse.Namespace) -> int:
    """python loop.py EXPERIMENT: search."""
    gc.disable()  # modules load an eighth faster without it, and nothing of theirs is garbage
    from harness.ask.instructions import instructions
    from harness.ask.proposer import Choice, choose
    from harness.keep.budget import Budget
    from harness.search import Options, Search
    from harness.show.views import choose_view

    experiment = _experiment(args)
    choice = Choice(model=args.model, base_url=args.base_url, temperature=args.temperature, seed=args.seed)
    words = instructions(args.instructions)
    limits = {"usd": args.budget_usd, "tokens": args.budget_tokens, "time_s": args.time, "patience": args.patience}
    budget = Budget(attempts=args.loop, **limits)
    options = Options(budget=budget, jobs=args.jobs, parent=args.parent, instructions=words, commit=not args.no_commit)
    open_judge = partial(_open_judge, require_sandbox=args.require_sandbox)
    looking = Search(experiment, choose(experiment, choice, os.environ), options, open_judge)
    view = choose_view(args.json, args.plain, sys.stdout)
    gc.freeze()
    gc.enable()
    try:
        reason = asyncio.run(search(looking, view))
    except KeyboardInterrupt:
        ignore_interrupts()
        view.close(f"interrupted; to go on: {args.command}", looking.scores if looking.is_open else None)
        return 130
    except BrokenPipeError:
        raise HarnessError("nobody reads standard output any more.", f"to go on: {args.command}") from None
    except (HarnessError, OSError) as fault:
        if looking.is_open:
            view.close(f"stopped: {fault}", looking.scores)
        raise
    view.close(reason, looking.scores)
    return 0


def judge(args: argparse.Namespace) -> int:
    """python loop.py judge: one file, no model, no state."""
    from harness.alone import judge_file
    from harness.show.verdict import verdict_json, verdict_text

    experiment = _experiment(args)
    verdict = asyncio.run(judge_file(experiment, args.file, args.against, require_sandbox=args.require_sandbox))
    print(verdict_json(verdict) if args.json else verdict_text(experiment.name, verdict, experiment.unit))
    return 0


def verify(args: argparse.Namespace) -> int:
    """python loop.py verify: earlier winners measured again, on this machine."""
    from harness.show import verified
    from harness.verify import verify as measure_again

    progress, outcome = verified.progress_text, verified.outcome_text
    if args.json:
        progress, outcome = verified.progress_json, verified.outcome_json
    experiment, open_judge = _experiment(args), partial(_open_judge, require_sandbox=args.require_sandbox)
    found = measure_again(experiment, open_judge, lambda one: print(progress(one), flush=True), every=args.all)
    print(outcome(experiment.name, asyncio.run(found)))
    return 0


def seed(args: argparse.Namespace) -> int:
    """python loop.py seed: a fresh search; history and winners/ stay."""
    from harness.fresh import start_over

    print(start_over(_experiment(args), args.commit))
    return 0


def new(args: argparse.Namespace) -> int:
    """python loop.py new: an experiment's folder for any command that prints a metric, or after another."""
    from harness.scaffold import write

    print(write(args, VERBS))
    return 0


def look(args: argparse.Namespace) -> int:
    """python loop.py status, show, diff, list: what has been kept."""
    from harness.show.look import texts

    for text in texts(args, None if args.verb == "list" else _experiment(args), sys.stdout):
        print(text, flush=True)
    return 0


def doctor(args: argparse.Namespace) -> int:
    from harness.doctor import examine

    text, is_well = examine(args.json)
    print(text)
    return 0 if is_well else 1


VERBS: dict[str, tuple[Any, str, str]] = {
    "judge": (judge, "judge one file, without a model and without changing anything", """\
  python loop.py judge linear                          the current candidate against the champion
  python loop.py judge linear --file mine.c            your own file
  python loop.py judge linear --file a.c --against b.c --json"""),
    "verify": (verify, "measure the winners again on this machine, and say what no longer holds", """\
  python loop.py verify linear                         the champion and the specialists
  python loop.py verify linear --all                   and all others under winners/
  python loop.py verify linear --json"""),
    "seed": (seed, "start a fresh search; git history and winners/ stay", """\
  python loop.py seed linear
  python loop.py seed linear --from 1f6d0c2            start from an archived winner"""),
    "new": (new, "make an experiment of any command that prints a metric", """\
  python loop.py new mine --source f.py --function f --eval-command ./run --metric s --goal minimize
  python loop.py new mine --like linear                another's contract, to start from"""),
    "status": (look, "where a search stands", """\
  python loop.py status linear --json
  python loop.py status linear --watch                 again whenever it changes, until Ctrl-C"""),
    "show": (look, "everything kept of one attempt: prompt, reply, candidate, verdict", """\
  python loop.py show linear                           the champion's attempt
  python loop.py show linear 7
  python loop.py show linear --trajectory              the whole search, as one JSON document
  python loop.py show linear --csv                     the whole search, a line an attempt"""),
    "diff": (look, "what changed between two sources", """\
  python loop.py diff linear                           seed against best
  python loop.py diff linear 3 7"""),
    "list": (look, "the experiments that can be named", """\
  python loop.py list --json"""),
    "doctor": (doctor, "what this machine has and lacks", """\
  python loop.py doctor --json"""),
}  # fmt: skip

RUN_EXAMPLES = """\
examples:
  python loop.py linear --loop 10                      no key: the built-in proposer searches
  python loop.py linear --loop 50 --model gpt-5-mini   a model (OPENAI_API_KEY)
  python loop.py linear --loop 500 --model gpt-5-mini --jobs 8 --budget-usd 5 --time 2h
  python loop.py linear --loop 9 --model qwen3 --base-url http://localhost:11434/v1
  python loop.py linear --model replay:answers         recorded answers, each once in a search

verbs:
"""
JSON_HELP = "one JSON object a line, nothing else on stdout"
DEVICE_HELP = "cpu or cuda, as the experiment allows (default: the first that it names)"
PARENT_HELP = "best (default), seed, specialist:CASE, an attempt's number, a winner's commit, or auto: a mix of them"
SANDBOX_HELP = "refuse to run candidates where this kernel lacks a part of the sandbox"


def _parser() -> Parser:
    verbs = "\n".join(f"  python loop.py {name:<8} {about}" for name, (_, about, _) in VERBS.items())
    parser = Parser(
        prog="python loop.py",
        description="Ask a model for one function, judge it, remember what happened, commit what won.",
        epilog=RUN_EXAMPLES + verbs,
    )
    parser.set_defaults(call=run)
    parser.add_argument("experiment", help="its name, or the path of its folder")
    add = parser.add_argument
    add("--loop", type=number(int, 1), default=1, metavar="N", help="attempts to make (default: 1)")
    add("--jobs", type=number(int, 1), default=1, metavar="K", help="requests in flight at once (default: 1)")
    add("--budget-usd", type=number(float, 0.01), metavar="USD", help="what this run may cost")
    add("--budget-tokens", type=number(int, 1), metavar="N", help="tokens that this run may use")
    add("--time", type=span_s, metavar="T", help="how long to go on: 90s, 30m, 2h")
    add("--patience", type=number(int, 1), metavar="N", help="stop after N attempts without a winner")
    add("--model", metavar="NAME", help="a model's name, `builtin`, or `replay:FOLDER`")
    add("--base-url", metavar="URL", help="any OpenAI-compatible endpoint")
    add("--temperature", type=number(float, 0, 2), metavar="T", help="passed to the model if given")
    add("--parent", default="best", metavar="REF", help=PARENT_HELP)
    add("--instructions", metavar="TEXT|FILE", help="a word of yours in every prompt")
    add("--seed", type=number(int, 0), metavar="S", help="of the built-in proposer's draws; passed to a model")
    add("--device", metavar="D", help=DEVICE_HELP)
    add("--require-sandbox", action="store_true", help=SANDBOX_HELP)
    add("--no-commit", action="store_true", help="keep winners, but leave git alone")
    add("--json", action="store_true", help=JSON_HELP)
    add("--plain", action="store_true", help="a line an attempt instead of the live view")
    return parser


def _verb_parser(verb: str) -> Parser:
    call, about, examples = VERBS[verb]
    parser = Parser(f"python loop.py {verb}", f"{about[0].upper()}{about[1:]}.", f"examples:\n{examples}")
    parser.set_defaults(call=call)
    if verb == "new":
        from harness.scaffold import add_arguments

        return add_arguments(parser)
    if verb not in ("list", "doctor"):
        parser.add_argument("experiment", help="its name, or the path of its folder")
    if verb == "judge":
        parser.add_argument("--file", metavar="F", help="the source to judge (default: the current candidate)")
        parser.add_argument("--against", metavar="G", help="a source to stand in for the champion")
    if verb == "verify":
        parser.add_argument(
            "--all", action="store_true", help="every winner under winners/, not the title holders alone"
        )
    if verb in ("judge", "verify"):
        parser.add_argument("--device", metavar="D", help=DEVICE_HELP)
        parser.add_argument("--require-sandbox", action="store_true", help=SANDBOX_HELP)
    if verb == "seed":
        parser.add_argument("--from", dest="commit", metavar="COMMIT", help="an archived winner to start from")
        return parser
    if verb == "status":
        parser.add_argument("--watch", action="store_true", help="the page again whenever it changes, until Ctrl-C")
    if verb == "show":
        parser.add_argument("what", nargs="?", default="best", help="an attempt's number, or best")
        whole = parser.add_mutually_exclusive_group()
        whole.add_argument("--trajectory", action="store_true", help="the whole search, as one JSON document")
        whole.add_argument("--csv", action="store_true", help="every attempt, as a line of a table")
    if verb == "diff":
        parser.add_argument("old", nargs="?", default="seed", help="seed (default), best, current, a number, a commit")
        parser.add_argument("new", nargs="?", default="best", help="the same; default: best")
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
    return parser


def _open_judge(experiment: Experiment, stop: Stop, require_sandbox: bool) -> Judge:
    from harness.judge.opening import open_judge

    return open_judge(experiment, stop, require_sandbox=require_sandbox)


def _experiment(args: argparse.Namespace) -> Experiment:
    from harness import catalog, contract

    return contract.load(catalog.locate(args.experiment, also=tuple(VERBS)), getattr(args, "device", None))


def parse(arguments: list[str]) -> argparse.Namespace:
    verb = arguments[0] if arguments and arguments[0] in VERBS else None
    parser = _verb_parser(verb) if verb else _parser()
    args, rest = parser.parse_known_args(arguments[1:] if verb else arguments)
    if rest and not verb:
        _experiment(args)  # a mistyped verb is told the nearest one
    if rest:
        parser.refuse(rest)
    args.verb, args.command = verb, shlex.join(["python", "loop.py", *arguments])
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, do, and say what went wrong: the only place that prints errors and chooses the exit code."""
    try:
        begin()
        args = parse(list(sys.argv[1:] if argv is None else argv))
        code = int(args.call(args))
        print(end="", flush=True)
        return code
    except HarnessError as fault:
        return fail(fault.message, fault.hint)
    except KeyboardInterrupt:
        print("interrupted.", file=sys.stderr)
        return 130
    except (OSError, ModuleNotFoundError) as fault:  # of standard output, or of what has no words of its own
        return refused(fault)


if __name__ == "__main__":
    sys.exit(main())
