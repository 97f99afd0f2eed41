"""docs/events.md and what `--json` prints are the same. Where a search, a judgement or a verification is at hand, the
tests beside it compare those."""

import json

import pytest

import loop
from documented import differences, sections
from harness.doctor import examine
from harness.show import pages

OBJECTS = [
    (name, event, example, fields) for name, one in sections().items() for event, (example, fields) in one.items()
]


def test_every_verb_with_json_has_a_section() -> None:
    calls = [[verb] if verb in ("list", "doctor") else [verb, "linear"] for verb in loop.VERBS]
    with_json = {verb for verb, *rest in calls if hasattr(loop.parse([verb, *rest]), "json")}
    assert set(sections()) == with_json | {"search", "trajectory"}


@pytest.mark.parametrize(("section", "event", "example", "fields"), OBJECTS, ids=[f"{o[0]}-{o[1]}" for o in OBJECTS])
def test_the_table_of_an_object_explains_its_fields(
    section: str, event: str, example: dict[str, object], fields: list[str]
) -> None:
    assert list(example) == fields
    assert example.get("event", event) == event


def test_what_list_and_doctor_print_is_documented() -> None:
    printed = [json.loads(line) for line in pages.listing(as_json=True).splitlines()]
    assert differences("list", printed) == []
    assert differences("doctor", [json.loads(examine(True)[0])]) == []
