"""What the judge hands over, from the contract's signature."""

from dataclasses import replace

import numpy as np
import pytest

from harness import contract
from harness.contract import Case
from harness.judge.signature import read_signature

LINEAR = contract.load(contract.ROOT / "linear")


@pytest.mark.parametrize("spelling", ["const unsigned char *", "unsigned char const *", "const uint8_t *"])
def test_bytes_are_an_input_however_they_are_spelled(spelling: str) -> None:
    signature = LINEAR.signature.replace("const float *bias", f"{spelling}bias")
    assert read_signature(replace(LINEAR, signature=signature)).inputs["bias"] is np.uint8


def test_a_hook_is_given_the_numbers_that_it_names_and_no_others() -> None:
    case = Case("any", rows=2, in_features=3, out_features=4, bias=1)
    signature = read_signature(LINEAR)
    assert signature.asked_by(lambda x, weight, bias, out_features, rows: None, case) == {"rows": 2, "out_features": 4}
    assert signature.asked_by(lambda x, weight, bias: None, case) == {}
