import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import KeepError
from harness.keep.journal import Committed, Event, Journal, Judged, Proposed, Seeded, Verified, read_events
from harness.records import Status
from keep.samples import attempt, proposal, search

EVENTS: tuple[Event, ...] = (
    Seeded(search="20261121-1", at="2026-11-21T05:52:14Z", seed_digest="ab" * 32),
    Proposed(proposal=proposal(1)),
    Judged(attempt=attempt(1, Status.BEST, 1.5)),
    Committed(number=1, commit="c0ffee" * 6 + "beef"),
    Judged(attempt=attempt(2, Status.UNREADABLE, reason="no function in the reply; it says\n`hello` \u2028 \ud800")),
    Verified(number=1, at="2026-11-22T05:52:14Z", attempt=1, verdict=attempt(1, Status.BEST, 1.4).verdict),
)


def _written(path: Path) -> bytes:
    with Journal(path) as journal:
        for event in EVENTS:
            journal.append(event)
    return path.read_bytes()


def test_every_kind_of_event_reads_back_as_it_was_written(tmp_path: Path) -> None:
    _written(tmp_path / "journal.jsonl")
    assert tuple(read_events(tmp_path / "journal.jsonl")) == EVENTS


def test_a_journal_of_before_requests_were_kept_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    _written(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for name in ("request", "answer", "failures"):
        del lines[1]["proposal"][name]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert tuple(read_events(path)) == EVENTS


def test_an_event_is_one_line_with_its_kind(tmp_path: Path) -> None:
    lines = _written(tmp_path / "journal.jsonl").splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == ["seeded", "proposed", "judged", "committed", "judged", "verified"]


def test_no_journal_reads_as_no_events(tmp_path: Path) -> None:
    assert list(read_events(tmp_path / "journal.jsonl")) == []


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_journal_cut_at_any_byte_reads_back_its_whole_lines_and_goes_on(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.jsonl")
        whole = _written(path)
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        kept = EVENTS[: whole[:cut].count(b"\n")]
        assert tuple(read_events(path)) == kept
        with Journal(path) as journal:
            journal.append(EVENTS[3])
            assert tuple(journal.read()) == (*kept, EVENTS[3])


@settings(max_examples=50, deadline=None)
@given(torn=st.binary(min_size=1, max_size=80))
def test_whatever_a_crash_leaves_in_place_of_the_last_line_is_cut_off(torn: bytes) -> None:
    torn = b"\x00" + torn.replace(b"\n", b"")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.jsonl")
        whole = _written(path)
        path.write_bytes(whole + torn + b"\n")
        Journal(path).close()
        assert path.read_bytes() == whole


def test_a_last_line_longer_than_any_buffer_is_cut_off_where_it_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = _written(path)
    path.write_bytes(whole + b'{"kind":"proposed","x":"' + b"y" * 300_000)
    Journal(path).close()
    assert path.read_bytes() == whole


def test_a_last_line_that_is_whole_but_not_understood_is_not_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(_written(path) + b'{"kind":"merged"}\n')
    with Journal(path) as journal, pytest.raises(KeepError, match="line 7 has the unknown kind 'merged'"):
        list(journal.read())


def test_a_bad_line_in_the_middle_is_an_error_with_its_number_and_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = _written(path).splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"{oops\n", *lines[1:]]))
    with pytest.raises(KeepError, match=r"journal\.jsonl: line 2 is not JSON") as raised:
        list(read_events(path))
    assert raised.value.hint


def test_an_event_that_lacks_a_part_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"kind":"committed","number":1}\n')
    with pytest.raises(KeepError, match=r"line 1 is no event: Committed\.commit is missing"):
        list(read_events(path))


def test_a_reader_passes_over_a_line_that_is_still_being_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(_written(path)[:-1])
    size_bytes = path.stat().st_size
    assert len(list(read_events(path))) == len(EVENTS) - 1
    assert path.stat().st_size == size_bytes


def test_a_disk_that_fills_up_in_the_middle_of_a_line_loses_no_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = _written(path)
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from harness.errors import KeepError; from harness.keep.journal import Committed, Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(whole) + 10}, {len(whole) + 10}))\n"
        f"journal = Journal(Path({str(path)!r}))\n"
        "try: journal.append(Committed(number=1, commit='x' * 100))\n"
        "except KeepError as error: print(error.message)\n"
    )
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True).stdout
    assert "File too large" in said
    assert path.read_bytes() == whole


def test_what_was_appended_survives_kill_9(tmp_path: Path) -> None:
    program = (
        "import itertools, sys; from pathlib import Path; from harness.keep.journal import Committed, Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for number in itertools.count(1):\n"
        "    journal.append(Committed(number=number, commit='c'))\n"
        "    print(number, flush=True)\n"
    )
    path = tmp_path / "journal.jsonl"
    command = [sys.executable, "-c", program, str(path)]
    writer = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(0.1)
    os.kill(writer.pid, signal.SIGKILL)
    promised = int(("1\n" + writer.communicate()[0]).rpartition("\n")[0].splitlines()[-1])
    with Journal(path) as journal:
        kept = sum(1 for _ in journal.read())
    assert kept >= promised


def test_two_thousand_attempts_are_read_in_less_than_two_seconds(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for one in search(20):
            journal.append(Judged(attempt=one))
    path.write_bytes(path.read_bytes() * 100)
    began_s = time.perf_counter()
    assert sum(1 for _ in read_events(path)) == 2000
    assert time.perf_counter() - began_s < 2
