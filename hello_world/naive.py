"""The seed: what every speed-up is stated against, written as one would say it."""

import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    product = torch.matmul(x, weight.T)  # (rows, out_features)
    halved = product / 2
    summed = torch.sum(halved, dim=1, keepdim=True)  # (rows, 1)
    return summed * 1.5
