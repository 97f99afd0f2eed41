import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    total = weight.sum(0)
    result = torch.empty((x.shape[0], 1))
    for row in range(x.shape[0]):
        result[row, 0] = torch.dot(x[row], total) * 0.75
    return result
