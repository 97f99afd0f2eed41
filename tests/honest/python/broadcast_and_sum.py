import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    return (x * (weight.sum(0) * 0.75)).sum(dim=1, keepdim=True)
