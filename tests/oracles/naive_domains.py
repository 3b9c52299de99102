"""A slow, obvious twin of registrable domains: the algorithm of publicsuffix.org/list, name by name, rule by rule."""

import gzip
from importlib.resources import files


def rules_of(text, private=True):
    """List the rules of a list by their last label: whether it is an exception, and its labels, the last one first."""
    part = text if private else text.split("// ===BEGIN PRIVATE DOMAINS===")[0]
    lines = [line.split()[0] for line in part.split("\n") if line.strip() and not line.startswith("//")]
    rules = {}
    for line in lines:
        labels = line.lstrip("!").split(".")[::-1]
        rules.setdefault(sent(labels[0]), []).append((line.startswith("!"), labels))
    return rules


def packaged():
    """Read the packaged list."""
    folder = files("netinterf.data") / "public-suffix-list"
    return gzip.decompress((folder / "public_suffix_list.dat.gz").read_bytes()).decode()


def sent(label):
    """Spell a label as it is sent."""
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def matches(rule, labels):
    """Say whether a rule matches a name, both from the last label on."""
    return len(labels) >= len(rule) and all(
        want == "*" or label in {want, sent(want)} for want, label in zip(rule, labels, strict=False)
    )


def domain(host, rules):
    """Cut a host down: its public suffix and one label more."""
    name = host
    if name.count(":") == 1:
        name = name.split(":")[0]
    name = "".join(letter.lower() if letter.isascii() else letter for letter in name.removesuffix("."))
    labels = name.split(".")[::-1]
    if ":" in name or "[" in name or labels[0][:1] in set("0123456789"):
        return ""
    found = [(exception, rule) for exception, rule in rules.get(sent(labels[0]), []) if matches(rule, labels)]
    exceptions = [rule for exception, rule in found if exception]
    size = len(exceptions[0]) - 1 if exceptions else max((len(rule) for _, rule in found), default=1)
    return ".".join(labels[: size + 1][::-1])
