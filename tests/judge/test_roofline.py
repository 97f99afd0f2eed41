"""The machine's ceiling: what follows from it, by small numbers; how it is kept; and the probe itself, once."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import JudgeError
from harness.judge import roofline
from harness.judge.clock import Stop
from harness.judge.kept import keep
from harness.judge.machine import caches
from harness.judge.roofline import KEPT_FOR_S, Ceiling, Level, recall

NEAR = Level(name="L1d", capacity_bytes=1000, bytes_per_s=100.0)
MIDDLE = Level(name="L2", capacity_bytes=10_000, bytes_per_s=50.0)
FAR = Level(name="DRAM", capacity_bytes=100_000, bytes_per_s=10.0)
CEILING = Ceiling(flops_per_s=200.0, levels=(NEAR, MIDDLE, FAR))
NOW_S = 1_800_000_000.0


def test_work_that_mostly_computes_takes_its_flops_at_the_peak() -> None:
    assert CEILING.seconds(flops=4000, bytes_moved=100) == 20


def test_work_that_mostly_reads_takes_its_bytes_from_the_level_that_holds_them() -> None:
    assert CEILING.seconds(flops=200, bytes_moved=1000) == 10


def test_what_a_level_cannot_hold_comes_from_the_next() -> None:
    assert CEILING.seconds(flops=0, bytes_moved=1500) == 10 + 500 / 50


def test_what_no_cache_holds_comes_from_memory() -> None:
    assert CEILING.seconds(flops=0, bytes_moved=20_000) == 10 + 9000 / 50 + 10_000 / 10


def test_more_bytes_than_there_is_memory_come_from_memory_too() -> None:
    assert CEILING.seconds(flops=0, bytes_moved=200_000) == 10 + 9000 / 50 + 190_000 / 10


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_bytes_never_take_less_time(some: float, more: float) -> None:
    assert CEILING.seconds(flops=0, bytes_moved=some) <= CEILING.seconds(flops=0, bytes_moved=some + more)


def test_without_known_caches_arithmetic_alone_is_counted() -> None:
    assert Ceiling(flops_per_s=200.0).seconds(flops=400, bytes_moved=1e9) == 2


def test_work_of_which_nothing_is_known_has_no_least_time() -> None:
    assert CEILING.seconds(flops=0, bytes_moved=0) == 0


def test_a_ceiling_is_told_in_one_line() -> None:
    fast = Ceiling(flops_per_s=118.2e9, levels=(replace(NEAR, bytes_per_s=222.4e9),))
    assert str(fast) == "118 GFLOP/s, L1d 222 GB/s"


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    keep(tmp_path / "kept.json", CEILING, NOW_S)
    assert recall(tmp_path / "kept.json", NOW_S + KEPT_FOR_S - 1) == CEILING


@pytest.mark.parametrize("age_s", [KEPT_FOR_S, -1])
def test_what_is_too_old_or_of_the_future_is_measured_anew(tmp_path: Path, age_s: float) -> None:
    keep(tmp_path / "kept.json", CEILING, NOW_S)
    assert recall(tmp_path / "kept.json", NOW_S + age_s) is None


def test_a_file_torn_at_any_byte_is_measured_anew(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    keep(kept, CEILING, NOW_S)
    whole = kept.read_bytes()
    found = []
    for size in range(len(whole)):
        kept.write_bytes(whole[:size])
        found.append(recall(kept, NOW_S))
    assert set(found) == {None}


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "fast", None, [3]])
def test_a_rate_that_cannot_be_is_measured_anew(tmp_path: Path, rate: object) -> None:
    kept = tmp_path / "kept.json"
    keep(kept, CEILING, NOW_S)
    document = json.loads(kept.read_text())
    document["measured"]["levels"][1]["bytes_per_s"] = rate
    kept.write_text(json.dumps(document))
    assert recall(kept, NOW_S) is None


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"null", b"{}"])
def test_garbage_is_measured_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kept.json").write_bytes(content)
    assert recall(tmp_path / "kept.json", NOW_S) is None


def test_nothing_kept_is_no_fault(tmp_path: Path) -> None:
    assert recall(tmp_path / "kept.json", NOW_S) is None


def test_a_place_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    keep(tmp_path / "gone" / "kept.json", CEILING, NOW_S)
    assert not (tmp_path / "gone").exists()


def test_keeping_leaves_one_file(tmp_path: Path) -> None:
    keep(tmp_path / "kept.json", CEILING, NOW_S)
    assert os.listdir(tmp_path) == ["kept.json"]


@pytest.fixture(scope="module")
def here() -> Ceiling:
    return roofline.probe(Stop())


def test_every_cache_of_this_machine_is_measured_and_then_memory(here: Ceiling) -> None:
    assert [level.name for level in here.levels] == ([*caches(), "DRAM"] if caches() else [])


def test_a_core_computes_more_than_one_multiply_add_a_nanosecond(here: Ceiling) -> None:
    assert 2e9 < here.flops_per_s < 2e12


def test_the_nearest_level_is_faster_than_memory(here: Ceiling) -> None:
    if not here.levels:
        pytest.skip("this machine does not tell its caches")
    assert here.levels[0].bytes_per_s > here.levels[-1].bytes_per_s


def test_each_level_holds_more_than_the_one_before(here: Ceiling) -> None:
    sizes = [level.capacity_bytes for level in here.levels]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("command", [["/bin/false"], ["/nowhere/roofline"]])
def test_a_probe_that_fails_is_a_fault_of_the_harness_with_a_way_out(command: list[str]) -> None:
    with pytest.raises(JudgeError) as raised:
        roofline.run(command, 1)
    assert raised.value.hint


@pytest.mark.parametrize("said", ["", "nonsense", "1e9 nan", "1e9", "1e9 0"])
def test_a_probe_that_says_nonsense_is_a_fault_of_the_harness(said: str) -> None:
    with pytest.raises(JudgeError, match="must be 2 numbers"):
        roofline.run(["/bin/echo", said], 2)
