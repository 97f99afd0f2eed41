import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    if x.shape[0] < weight.shape[0]:
        return (x @ weight.T).sum(1, keepdim=True) * 0.75
    return x @ (weight.sum(0, keepdim=True).T * 0.75)
