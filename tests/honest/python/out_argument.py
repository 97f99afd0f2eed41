import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    result = torch.empty((x.shape[0], 1), dtype=x.dtype)
    torch.matmul(x, weight.sum(0, keepdim=True).T, out=result)
    return result.mul_(0.75)
