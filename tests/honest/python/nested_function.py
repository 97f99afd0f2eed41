import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    def scaled(part: Tensor) -> Tensor:
        return part * 0.75

    pick = lambda given: given.sum(0, keepdim=True)
    return scaled(x @ pick(weight).T)
