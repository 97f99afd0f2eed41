from pathlib import Path

import scratch
from harness.contract import load
from harness.keep.journal import Event, Judged, Proposed, Seeded
from harness.keep.state import State
from harness.records import Status
from keep.samples import attempt, proposal

NEW = Seeded(search="20261121-1", at="2026-11-21T05:52:14Z", seed_digest="ab" * 32)


def _folded(folder: Path, *events: Event) -> State:
    state = State.load(load(scratch.write_total(folder / "total")), {}, NEW)
    for event in events:
        state.fold(event)
    return state


def test_several_replies_wait_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    state = _folded(tmp_path, *(Proposed(proposal=proposal(number)) for number in (1, 2, 3)))
    assert (list(state.pending), state.next_number) == ([1, 2, 3], 4)


def test_a_verdict_ends_the_waiting_of_its_reply_and_of_no_other(tmp_path: Path) -> None:
    two = (Proposed(proposal=proposal(1)), Proposed(proposal=proposal(2)))
    state = _folded(tmp_path, *two, Judged(attempt=attempt(1, Status.WRONG)))
    assert (list(state.pending), state.scores.last_attempt, state.next_number) == ([2], 1, 3)


def test_what_could_not_be_timed_is_no_duplicate_where_it_comes_again(tmp_path: Path) -> None:
    state = _folded(tmp_path, Judged(attempt=attempt(1, Status.UNMEASURED, choices={"step": 1})))
    assert (list(state.seen), state.objects, state.trials) == ([NEW.seed_digest], {}, [])


def test_without_a_journal_the_points_of_the_best_winners_are_known_still(tmp_path: Path) -> None:
    made = _folded(tmp_path, *(Judged(attempt=attempt(n, Status.BEST, 1 + n, choices={"step": n})) for n in (1, 2)))
    folder = tmp_path / "total"
    (folder / "SCORES.json").write_text(made.scores.text())
    (folder / "MEMORY.json").write_text(made.memory.text())
    assert State.load(load(folder), {}, NEW).trials == made.trials


def test_the_next_number_follows_the_last_attempt_where_no_reply_waits(tmp_path: Path) -> None:
    both = (Proposed(proposal=proposal(1)), Judged(attempt=attempt(1, Status.WRONG)))
    assert _folded(tmp_path, *both).next_number == 2
