import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    input, id, hash = x, weight, 0.75
    return (input @ id.sum(0, keepdim=True).T) * hash
