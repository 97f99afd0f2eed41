import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    return torch.einsum("ri,oi->r", x, weight).unsqueeze(1) * 0.75
