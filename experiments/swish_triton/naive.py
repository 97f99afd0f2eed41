"""The seed: what every speed-up is stated against, one block of numbers a program."""

import torch
import triton
import triton.language as tl
from torch import Tensor


@triton.jit
def _swish(x, out, size, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    value = tl.load(x + at, mask=inside)
    tl.store(out + at, value / (1 + tl.exp(-value)), mask=inside)


def swish(x: Tensor) -> Tensor:
    out = torch.empty_like(x)
    size = x.numel()
    _swish[(triton.cdiv(size, 256),)](x, out, size, BLOCK=256)
    return out
