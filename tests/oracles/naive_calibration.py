"""A slow, obvious reliability diagram: one bin, and in it one example, at a time."""

from tests.oracles.naive_rates import wilson

__all__ = ["reliability"]


Z95 = 1.959963984540054


def reliability(probability, truth, weight, bins):
    """Part examples by the rank of the first one of equal probability, and give one dictionary per bin."""
    rows = [row for row in range(len(probability)) if weight[row] > 0]
    probability, truth, weight = ([column[row] for row in rows] for column in (probability, truth, weight))
    order = sorted(probability)
    number = [order.index(p) * bins // len(order) for p in probability]
    mass = sum(weight)
    found = []
    for place in sorted(set(number)):
        mine = [row for row, one in enumerate(number) if one == place]
        own = sum(weight[row] for row in mine)
        said = sum(weight[row] * probability[row] for row in mine) / own
        true = sum(weight[row] * truth[row] for row in mine) / own
        effective = own**2 / sum(weight[row] ** 2 for row in mine)
        low, high = wilson(true * effective, effective, Z95)
        found.append(
            {"count": len(mine), "weight": own / mass, "effective": effective, "probability": said, "share": true,
             "low": low, "high": high}
        )  # fmt: skip
    return found
