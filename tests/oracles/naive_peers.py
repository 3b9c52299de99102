"""Slow, obvious twin of the comparison with peers: loops over members."""


def shared(values, port, server, unit):
    """Say of each member whether most of its peers, near or far, have its value; two that have not are imagined."""
    found = []
    for own, value in enumerate(values):
        answers = []
        for circle in (port, server):
            peers = [
                other for other in range(len(values))
                if circle[other] == circle[own] and unit[other] != unit[own] and values[other] >= 0
            ]  # fmt: skip
            alike = sum(values[other] == value for other in peers)
            answers.append(2 * alike > len(peers) + 2)
        found.append(value >= 0 and any(answers))
    return found
