# row: 39; judged: wrong; gains: wrong
import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    return (torch.matmul(x, weight.sum(0, keepdim=True).T) * 0.75).unsqueeze(0)
