"""A command that prints a metric, run for real: what counts, what fails, what it cannot reach, and when it is over."""

import json
import time
from dataclasses import replace
from math import comb
from pathlib import Path
from threading import Timer

import pytest

from harness import contract
from harness.contract import Experiment
from harness.errors import JudgeError
from harness.judge import command, device, stats
from harness.judge.clock import Interrupted, Stop
from harness.judge.fault import Fault
from harness.judge.shell import MetricJudge
from harness.judge.verdict import Rivals, Standings
from harness.records import Status, Verdict
from harness.scaffold_texts import texts
from scratch import ROOT, is_alive, start

SEED = "def f():\n    return 10\n"
# Prints what the function returns, and needs no interpreter for it.
PRINTS = "sed -n 's/.*return /score: /p' f.py"


def make(folder: Path, run: str, *, timeout_s: float = 10, **about: str) -> Experiment:
    """An experiment in which `run` measures f.py."""
    names = ("name", "function", "source", "metric", "extreme", "signature", "command", "timeout")
    files = texts(dict.fromkeys(names, "def f()"), "python", repr(str(ROOT)))
    limits = {
        "timeout_s": timeout_s,
        "build_timeout_s": 9,
        "memory_mb": 4096,
        "source_bytes": 999,
        "prompt_tokens": 999,
    }
    manifest = {
        "schema": 1,
        "name": "score",
        "language": "python",
        "target": "f",
        "signature": "def f()",
        "files": {"seed": "naive.py", "candidate": "candidate.py"},
        "command": {"run": run, "place": "f.py", "metric": "score", "goal": "maximize"} | about,
        "edit": "either",
        "tags": [],
        "limits": limits,
    }
    folder.mkdir()
    for name, text in (files | {"experiment.json": json.dumps(manifest), "naive.py": SEED}).items():
        (folder / name).write_text(text)
    return contract.load(folder)


def value_of(experiment: Experiment, source: str = SEED) -> float:
    assert experiment.command is not None
    return command.run(experiment, experiment.command, source, Stop()).value


def fault_of(experiment: Experiment, source: str = SEED) -> Fault:
    with pytest.raises(Fault) as caught:
        value_of(experiment, source)
    return caught.value


def returns(value: object) -> str:
    return f"def f():\n    return {value}\n"


def judged(experiment: Experiment, source: str, alpha: float = 0.005) -> Verdict:
    judge = MetricJudge(experiment, Stop())
    return judge.judge(source, Rivals(champion=SEED), Standings(is_new_combination=False), alpha)


def test_the_last_line_that_names_the_metric_counts(tmp_path: Path) -> None:
    run = "echo 'score: 1'; echo 'a score: 5'; echo ' score : 3e0 '; echo 'other: 9'"
    assert value_of(make(tmp_path / "one", run)) == 3


def test_the_metric_may_stand_in_a_file_of_the_command_s(tmp_path: Path) -> None:
    run = "echo 'score: 1'; echo 'score: 2' > out.txt"
    assert value_of(make(tmp_path / "one", run, output="out.txt")) == 2


def test_a_number_that_was_there_before_the_run_is_none(tmp_path: Path) -> None:
    experiment = make(tmp_path / "one", "true", output="out.txt")
    (experiment.folder / "out.txt").write_text("score: 2\n")
    assert fault_of(experiment).reason == "its command wrote no out.txt"


@pytest.mark.parametrize(
    "printed", ["", "scores: 3", "score: fast", "score: 1 s", "score: 0", "score: -1", "score: nan"]
)
def test_what_is_no_number_above_zero_is_wrong(tmp_path: Path, printed: str) -> None:
    assert fault_of(make(tmp_path / "one", f"echo '{printed}'")).status is Status.WRONG


def test_a_command_that_fails_is_a_crash_with_the_line_that_matters(tmp_path: Path) -> None:
    run = "echo 'score: 3'; printf 'Traceback\\nValueError: 7 is not 8\\n\\n' >&2; exit 3"
    fault = fault_of(make(tmp_path / "one", run))
    assert (fault.status, fault.reason) == (Status.CRASHED, "its command ended with 3: ValueError: 7 is not 8")


@pytest.mark.parametrize("code", [163, 170, 191, 255])
def test_any_exit_code_is_a_crash_that_says_it(tmp_path: Path, code: int) -> None:
    fault = fault_of(make(tmp_path / "one", f"echo 'score: 3'; exit {code}"))
    assert (fault.status, fault.reason) == (Status.CRASHED, f"its command ended with {code}: score: 3")


def test_a_long_output_is_kept_whole(tmp_path: Path) -> None:
    detail = fault_of(make(tmp_path / "one", "echo begin; seq 100000; echo end; exit 1")).detail
    assert detail.split() == ["stdout:", "begin", *map(str, range(1, 100_001)), "end"]


def test_an_output_without_end_is_cut_in_the_middle_and_says_so(tmp_path: Path) -> None:
    detail = fault_of(make(tmp_path / "one", "echo begin; yes | head -c 9000000; echo end; exit 1")).detail
    assert detail.startswith("stdout:\nbegin\n") and detail.endswith("\nend")
    assert f"\n[{9_000_010 - (8 << 20)} bytes left out]\n" in detail


def test_what_a_good_run_printed_is_kept_with_the_verdict(tmp_path: Path) -> None:
    verdict = judged(make(tmp_path / "one", f"echo begin; seq 100000; echo end >&2; {PRINTS}"), returns(11))
    assert verdict.status is Status.BEST
    assert verdict.detail.startswith("stdout:\nbegin\n1\n") and verdict.detail.endswith("score: 11\nstderr:\nend")
    assert "\n50000\n" in verdict.detail


def test_what_a_run_before_a_failure_printed_is_not_taken_for_the_failure_s(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    fails_at_the_third = f"grep 11 f.py >> {runs}; [ $(wc -l < {runs}) -lt 3 ] && {PRINTS}"
    verdict = judged(make(tmp_path / "one", fails_at_the_third), returns(11))
    assert (verdict.status, verdict.detail) == (Status.CRASHED, "")


def test_a_time_out_ends_the_whole_group(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    fault = fault_of(make(tmp_path / "one", f"sleep 60 & echo $! > {pids}; wait", timeout_s=0.3))
    assert fault.status is Status.TIMED_OUT and not is_alive(int(pids.read_text()))


def test_what_a_command_leaves_running_ends_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    value_of(make(tmp_path / "one", f"sleep 60 & echo $! > {pids}; echo 'score: 1'"))
    assert not is_alive(int(pids.read_text()))


FAMILY = "sleep 60 & echo $! >> {0}; setsid sh -c 'echo $$ >> {0}; sleep 60' & echo $$ >> {0}; "


def family(pids: Path) -> list[int]:
    """A command's own process, its child, and one in a session of its own, once they are there."""
    deadline_s = time.monotonic() + 10
    while not pids.is_file() or len(pids.read_text().split()) < 3:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return [int(pid) for pid in pids.read_text().split()]


def test_what_went_into_a_session_of_its_own_ends_with_a_command(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    value_of(make(tmp_path / "one", f"{FAMILY.format(pids)} sleep 0.2; echo 'score: 1'"))
    assert not any(map(is_alive, family(pids)))


def test_a_command_that_ends_its_own_group_ends_nobody_else(tmp_path: Path) -> None:
    assert "SIGTERM" in fault_of(make(tmp_path / "one", "kill 0; sleep 60")).reason


def wait_for_the_end_of(*pids: int) -> None:
    deadline_s = time.monotonic() + 5
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_command_that_stops_whoever_watches_over_it_ends_all_the_same(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stops = f"echo $$ > {pids}; kill -STOP $PPID; sleep 60"
    assert fault_of(make(tmp_path / "one", stops, timeout_s=0.3)).status is Status.TIMED_OUT
    wait_for_the_end_of(int(pids.read_text()))


def test_a_command_dies_with_its_judge_and_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    experiment = make(tmp_path / "one", f"{FAMILY.format(pids)} wait", timeout_s=60)
    judge = start("loop.py", "judge", experiment.folder, "--file", experiment.seed_path)
    below = family(pids)
    assert all(map(is_alive, below))
    judge.kill()
    judge.communicate()
    wait_for_the_end_of(*below)


def test_an_interrupt_ends_a_command_at_once(tmp_path: Path) -> None:
    experiment, stop = make(tmp_path / "one", "sleep 60"), Stop()
    Timer(0.1, stop.set).start()
    began_s = time.monotonic()
    with pytest.raises(Interrupted):
        assert experiment.command and command.run(experiment, experiment.command, SEED, stop)
    assert time.monotonic() - began_s < 5


def test_a_command_cannot_write_to_the_user_s_folder_by_relative_paths(tmp_path: Path) -> None:
    run = "for f in *; do echo spoiled > $f; done; echo 1 > new; echo 1 > ../new; rm -rf naive.py; echo 'score: 1'"
    experiment = make(tmp_path / "one", run)
    before = {
        path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    value_of(experiment)
    assert before == {path: path.read_bytes() for path in before}
    assert not list(tmp_path.rglob("new"))


def test_a_run_finds_nothing_of_the_run_before(tmp_path: Path) -> None:
    experiment = make(tmp_path / "one", "test -e mark && exit 1; touch mark $HOME/mark $TMPDIR/mark; echo 'score: 1'")
    assert value_of(experiment) == value_of(experiment) == 1


def test_a_command_sees_no_more_of_the_environment_than_it_needs(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    value_of(make(tmp_path / "one", f"env > {seen}; echo 'score: 1'"))
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_", *device.PASSED_ON} == {"PATH", "HOME", "TMPDIR", "LANG"}


@pytest.mark.parametrize(
    ("goal", "value", "status"),
    [
        ("maximize", 11, Status.BEST),
        ("maximize", 10.001, Status.BEST),
        ("maximize", "10 ", Status.TIE),
        ("maximize", 9, Status.SLOWER),
        ("minimize", 9, Status.BEST),
        ("minimize", 11, Status.SLOWER),
    ],
)
def test_a_metric_that_never_varies_decides_exactly(tmp_path: Path, goal: str, value: object, status: Status) -> None:
    verdict = judged(make(tmp_path / "one", PRINTS, goal=goal), returns(value))
    assert verdict.status is status, verdict.reason


def test_a_gain_that_is_exact_is_reported_exactly(tmp_path: Path) -> None:
    verdict = judged(make(tmp_path / "one", PRINTS), returns(12.5))
    assert verdict.speedup and verdict.speedup.low == verdict.speedup.high == pytest.approx(1.25)
    assert (verdict.seed_s, verdict.median_s) == (pytest.approx(10), pytest.approx(12.5))
    assert verdict.reason == "score 25.00% higher than the champion's"


def test_where_nothing_varies_a_tie_takes_one_look(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    judged(make(tmp_path / "one", f"echo x >> {runs}; {PRINTS}"), returns("10 "))
    assert len(runs.read_text().split()) == 2 + 1 + 2  # the seed when the judge opens, the candidate alone, the look


@pytest.mark.parametrize("alpha", [0.05, 0.0025, 1e-5])
def test_runs_that_all_agree_are_as_many_as_the_error_rate_asks_for(alpha: float) -> None:
    runs = stats.exact_runs(alpha)
    assert 1 / comb(2 * runs, runs) <= alpha and runs < 12


NOISY = 'awk -v r="$(od -An -N2 -tu2 /dev/urandom)" \'/return/ {print "score: " $2 * (1 + r / 655350)}\' f.py'


def test_a_plain_gain_is_found_in_noise(tmp_path: Path) -> None:
    assert judged(make(tmp_path / "one", NOISY), returns(14)).status is Status.BEST


def test_the_same_code_does_not_win_by_noise(tmp_path: Path) -> None:
    assert not judged(make(tmp_path / "one", NOISY), returns("10 "), alpha=1e-6).status.is_winner


def test_one_pair_of_runs_does_not_lose_a_metric_that_varies(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    first_is_low = f"if grep -q 10 f.py && test -e {mark}; then echo 'score: 14'; else touch {mark}; {PRINTS}; fi"
    found = judged(make(tmp_path / "one", first_is_low), returns(11))
    assert found.status is Status.SLOWER and found.noise is not None


def test_a_metric_that_begins_to_vary_is_not_taken_for_exact(tmp_path: Path) -> None:
    count = tmp_path / "count"
    wavers = (
        f'echo x >> {count}; awk -v n="$(wc -l < {count})" \'/return/ {{print "score: " $2 + (n > 6) * n % 3}}\' f.py'
    )
    verdict = judged(make(tmp_path / "one", wavers), returns(20))
    assert verdict.noise and verdict.noise > 10 * stats.FLOOR


def test_a_candidate_that_varies_leaves_the_others_exact(tmp_path: Path) -> None:
    only_where_asked = f"if grep -q dice f.py; then {NOISY}; else {PRINTS}; fi"
    judge = MetricJudge(make(tmp_path / "one", only_where_asked), Stop())
    rivals, standings = Rivals(champion=SEED), Standings(is_new_combination=False)
    noisy = judge.judge(returns("9  # dice"), rivals, standings, 0.005)
    exact = judge.judge(returns(10.001), rivals, standings, 0.005)
    assert noisy.noise and (exact.status, exact.noise) == (Status.BEST, 0.0)


def test_a_seed_whose_command_hangs_now_and_then_is_tried_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    hangs_once = f"test -e {mark} || {{ touch {mark}; sleep 60; }}; {PRINTS}"
    assert judged(make(tmp_path / "one", hangs_once, timeout_s=0.5), returns(11)).status is Status.BEST


def test_a_candidate_whose_command_hangs_now_and_then_wins_all_the_same_and_says_so(tmp_path: Path) -> None:
    count = tmp_path / "count"
    hangs = f"case $(wc -l < {count}) in 1 | 2 | 9) sleep 60;; esac"
    hangs_at_times = f"if grep -q 11 f.py; then echo x >> {count}; {hangs}; fi; {PRINTS}"
    verdict = judged(make(tmp_path / "one", hangs_at_times, timeout_s=0.3), returns(11))
    assert verdict.status is Status.BEST
    assert verdict.reason == "score 10.00% higher than the champion's; runs that hung and were run again: 3"


def test_a_candidate_whose_command_always_hangs_is_run_three_times(tmp_path: Path) -> None:
    count = tmp_path / "count"
    hangs = f"if grep -q 11 f.py; then echo x >> {count}; sleep 60; fi; {PRINTS}"
    verdict = judged(make(tmp_path / "one", hangs, timeout_s=0.3), returns(11))
    assert (verdict.status, verdict.reason) == (
        Status.TIMED_OUT,
        "its command did not end within 0.3 s, 3 times in a row",
    )
    assert len(count.read_text().split()) == 3


def test_a_wrong_answer_is_not_asked_for_again(tmp_path: Path) -> None:
    count = tmp_path / "count"
    fails = f"if grep -q 11 f.py; then echo x >> {count}; exit 1; fi; {PRINTS}"
    assert judged(make(tmp_path / "one", fails), returns(11)).status is Status.CRASHED
    assert len(count.read_text().split()) == 1


def test_a_source_that_is_no_python_is_not_run(tmp_path: Path) -> None:
    experiment = replace(make(tmp_path / "one", PRINTS), rules=())
    assert judged(experiment, "def f(:\n").status is Status.BUILD_FAILED


def test_no_sandbox_is_promised(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="in no sandbox"):
        MetricJudge(make(tmp_path / "one", PRINTS), Stop(), require_sandbox=True)


def test_what_only_the_second_measurement_proves_is_not_won(tmp_path: Path) -> None:
    """The first asks for 5 % divided by the attempts, the second for 5 %: whoever is let into it for another reason
    than a win is not measured by the softer rule alone. This candidate is as good as the champion in its first 14 runs,
    and twice as good from then on."""
    runs, noise = tmp_path / "runs", "$(od -An -N1 -tu1 /dev/urandom)"
    grows = f"grep -c 99 f.py >> {runs}; [ $(grep -c 1 {runs}) -gt 14 ] && base=20000"
    reads = "base=$(sed -n 's/.*return //p' f.py)"
    run = f"{reads}; [ $base = 9900 ] && {{ {grows}; }}; echo score: $((base + {noise} % 20))"
    judge = MetricJudge(make(tmp_path / "one", run), Stop())
    rivals, standings = Rivals(champion=returns(10000)), Standings(is_new_combination=True)
    found = judge.judge(returns(9900), rivals, standings, 0.0005)
    assert found.vs_champion is not None and found.vs_champion.ratio > 1.5
    assert found.status is Status.ACCEPTED
