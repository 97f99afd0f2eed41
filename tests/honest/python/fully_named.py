import torch


def hello_world(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.linear(x, weight.sum(dim=0, keepdim=True)).mul(0.75)
