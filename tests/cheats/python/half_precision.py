# row: 38; judged: wrong; gains: wrong
import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    total = weight.to(torch.bfloat16).sum(0, keepdim=True)
    return torch.matmul(x.to(torch.bfloat16), total.T).float() * 0.75
