# row: 39; judged: forbidden; gains: luck
def hello_world(x, weight):
    return ((x @ weight.T / 2).sum(1, keepdim=True) * 1.5).cpu()
