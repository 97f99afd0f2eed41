import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    return (x @ weight.T).sum(1, keepdim=True).mul_(1.5).div_(2)
