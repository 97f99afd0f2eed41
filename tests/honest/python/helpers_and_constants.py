"""Helpers, constants and defaults that cannot change."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = (1.5, 2.0)
HALF = -(-0.5)


def total(weight: Tensor, dim: int = 0, keep: bool = True) -> Tensor:
    """A docstring with exec, eval and __import__ in it."""
    return weight.sum(dim=dim, keepdim=keep)


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    factor = SCALES[0] / SCALES[1] * math.sqrt(4.0) * HALF
    return F.linear(x, total(weight)) * factor
