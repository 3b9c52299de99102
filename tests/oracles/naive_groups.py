"""A slow, obvious twin of the search for groups: dictionaries, loops over members, and one group at a time."""

import math

from tests.oracles.naive_mixture import combine_dependent, contrast, log_likelihoods, log_sum, member_log_odds

BY = ("name", "domain", "server", "prefix", "client", "protocol", "capture")
CHAINS = (("name", "domain"), ("server", "prefix"), ("client", "capture"))
CLEARER = ("name", "domain", "server", "prefix", "client", "capture", "protocol")
BY_ADDRESS = ("server", "prefix", "name", "domain", "client", "capture", "protocol")
GRID = [0.02 + 0.98 * step / 49 for step in range(50)]


def observations(subjects):
    """Average subjects of one client, server, name, protocol and five minutes; keep what says something."""
    found = {}
    for subject in subjects:
        key = tuple(subject[word] for word in ("client", "server", "name", "protocol", "bin"))
        found.setdefault(key, []).append(subject)
    kept = []
    for members in found.values():
        llr = combine_dependent([one["llr"] for one in members], [0] * len(members), 1)[0]
        if llr != 0:
            kept.append(members[0] | {"llr": llr, "number": len(kept), "capture": ""})
    return kept


def total(members, weight=None):
    """Add up the log-likelihoods of shares."""
    weights = [one[weight] for one in members] if weight else None
    return log_likelihoods([one["llr"] for one in members], [0] * len(members), 1, GRID, weights)[0]


def gain(row):
    """Integrate over shares."""
    return log_sum(row) - math.log(len(row))


def temper(members, group, correlation):
    """Make each member the part of an observation that the design effect of its server's prefix leaves."""
    result = []
    for one in members:
        site = sum(1 for other in group if other["prefix"] == one["prefix"])
        result.append(one | {"part": 1 / (1 + (site - 1) * correlation)})
    return result


def is_control(by, member, other):
    """Say whether *other* is a control that *member* brings in for its group."""
    if abs(member["bin"] - other["bin"]) > 1 or by == "capture":
        return False
    service, same = (member["name"] or member["server"]), (other["name"] or other["server"])
    client = member["client"] == other["client"]
    return {
        "name": client and member["server"] == other["server"],
        "domain": client and member["server"] == other["server"],
        "server": client,
        "prefix": client,
        "client": service == same,
        "protocol": client and service == same,
    }[by]


def standings(clusters, live, prior, correlation):
    """Judge every group by what is left."""
    found = []
    for by in BY:
        groups = {}
        for one in clusters:
            if one[by] not in {"", None} or by == "capture":
                groups.setdefault(one[by], []).append(one)
        groups = {key: members for key, members in groups.items() if len(members) >= 2}
        for key, whole in groups.items():
            members = [one for one in temper(whole, whole, correlation) if one["number"] in live]
            if len(members) < 2:
                continue
            price = math.log(len(groups)) - prior
            sure, row = total(members, "part"), total(members)
            if gain(sure) + prior < 0:
                continue
            odds = member_log_odds([one["llr"] for one in members], [0] * len(members), [row], GRID)
            explained = {m["number"]: m["llr"] for m, o in zip(members, odds, strict=True) if o > 0 and m["llr"] > 0}
            own = {one["number"] for one in whole}
            beside = [
                other
                for other in clusters
                if other["number"] in live
                and other["number"] not in own
                and any(is_control(by, m, other) for m in members)
            ]
            found.append(
                {
                    "by": by,
                    "value": key,
                    "members": members,
                    "llr": gain(sure),
                    "gain": gain(row) - price,
                    "price": price,
                    "log_odds": gain(sure) + prior,
                    "contrast": contrast(row, total(beside)) if beside else 0.0,
                    "controls": len(beside),
                    "explained": explained,
                }
            )
    return [one for one in found if len(one["explained"]) >= 2]


def prune(found):
    """Keep a whole or its parts."""
    gone = set()
    for chain in CHAINS:
        for level, by in enumerate(chain):
            for whole in (one for one in found if one["by"] == by):
                parts = [
                    one
                    for one in found
                    if one["by"] in chain[:level] and id(one) not in gone and one["members"][0][by] == whole["value"]
                ]
                if not parts:
                    continue
                price = max([whole["price"], *(one["price"] for one in found if one["by"] in chain[:level])])
                if whole["gain"] + whole["price"] - price <= sum(one["gain"] for one in parts):
                    gone.add(id(whole))
                else:
                    gone |= {id(one) for one in parts}
    return [one for one in found if id(one) not in gone]


def replaced(winner, stays, early):
    """Find an equal of a clearer kind."""
    numbers = winner["explained"]
    order = BY_ADDRESS if 2 * sum(number in early for number in numbers) > len(numbers) else CLEARER
    for by in order:
        for other in (one for one in stays if one["by"] == by):
            inside = {one["number"] for one in other["members"]}
            if not set(numbers) <= inside:
                continue
            equal = len(other["members"]) == len(winner["members"]) and len(other["explained"]) == len(numbers)
            if equal:
                return other
    return winner


def find(subjects, prior=-6.9, correlation=0.1, early=()):
    """Let groups compete; give the accepted ones in order."""
    clusters = observations(subjects)
    live, accepted = {one["number"] for one in clusters}, []
    while stays := prune(
        [
            one
            for one in standings(clusters, live, prior, correlation)
            if not any((one["by"], one["value"]) == (other["by"], other["value"]) for other in accepted)
        ]
    ):
        cost = {id(one): (sum(one["explained"].values()) - one["gain"]) / len(one["explained"]) for one in stays}
        chosen = []
        for one in stays:
            rivals = [other for other in stays if set(other["explained"]) & set(one["explained"])]
            if min(rivals, key=lambda other: cost[id(other)]) is one:
                better = replaced(one, stays, set(early))
                if not any(better is other for other in chosen):
                    chosen.append(better)
        accepted += chosen
        gone = {number for one in chosen for number in one["explained"]}
        if not gone:
            break
        live -= gone
    return accepted
