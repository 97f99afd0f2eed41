import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    total = weight.to(torch.float64).sum(0, keepdim=True)
    return (x.double() @ total.T * 0.75).to(torch.float32)
