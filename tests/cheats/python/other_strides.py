# row: 39; judged: wrong; gains: luck
import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    both = torch.matmul(x, torch.stack([weight.sum(0), weight[0]], 1))
    return both.mul_(0.75)[:, :1]
