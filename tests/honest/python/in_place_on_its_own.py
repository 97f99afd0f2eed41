import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    result = x @ weight.sum(0, keepdim=True).T
    result *= 0.75
    return result
