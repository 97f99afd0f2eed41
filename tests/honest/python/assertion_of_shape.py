import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    assert x.shape[1] == weight.shape[1], f"{x.shape} against {weight.shape}"
    return (x @ weight.sum(0, keepdim=True).T) * 0.75
