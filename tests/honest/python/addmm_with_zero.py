import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    zero = x.new_zeros((x.shape[0], 1))
    return torch.addmm(zero, x, weight.sum(0, keepdim=True).T, beta=0, alpha=0.75)
