"""Which symbols count as one: the groups of a wash rule as names."""

from trimtab.domain.history import WashRule


def group_names(rule: WashRule) -> dict[str, str]:
    """The first symbol of its group for every symbol of a group; groups that share one are one."""
    names: dict[str, str] = {}
    for group in rule.groups:
        known = sorted({names[symbol] for symbol in group if symbol in names})
        name = known[0] if known else min(group, default="")
        for symbol, old in list(names.items()):
            if old in known:
                names[symbol] = name
        names.update(dict.fromkeys(group, name))
    return names
