import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    return torch.mv(x, weight.sum(0) * 0.75).unsqueeze(1)
