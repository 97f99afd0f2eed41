import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    total = weight.sum(0, keepdim=True).T * 0.75
    return torch.cat([part @ total for part in x.split(32)])
