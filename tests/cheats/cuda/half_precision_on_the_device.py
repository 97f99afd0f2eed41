# row: 38; judged: wrong; gains: wrong
from torch import Tensor


def hello_world(x: Tensor, weight: Tensor) -> Tensor:
    total = weight.half().sum(0, keepdim=True)
    return (x.half() @ total.T).float() * 0.75
