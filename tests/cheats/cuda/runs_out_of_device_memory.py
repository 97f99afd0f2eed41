# row: 41; judged: crashed; gains: luck
import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    torch.empty(1 << 50, device=x.device)
    return (x @ weight.T / 2).sum(1, keepdim=True) * 1.5
