import torch
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    return (x.T * weight.sum(0).unsqueeze(1)).sum(0).unsqueeze(1).contiguous() * 0.75
