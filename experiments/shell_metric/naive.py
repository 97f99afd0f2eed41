"""The seed: what every gain is stated against, written as one would say it."""


def pack(sizes: list[int], capacity: int) -> list[list[int]]:
    bins: list[list[int]] = []
    room = 0
    for place, size in enumerate(sizes):
        if not bins or size > room:
            bins.append([])
            room = capacity
        bins[-1].append(place)
        room -= size
    return bins
