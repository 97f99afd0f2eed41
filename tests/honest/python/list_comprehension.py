import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    total = weight.sum(0)
    return torch.stack([(row * total).sum() for row in x.unbind(0)]).unsqueeze(1) * 0.75
