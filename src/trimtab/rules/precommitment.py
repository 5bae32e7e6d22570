"""Keeps the household to what it decided in calm: an edited policy waits before it is in force.

The file says what the household wants now, the journal what it has bound itself to. A policy that
only tightens the gates holds at once. Every other one waits for the cooling-off of the policy *in
force*, so that even a shorter cooling-off waits for the long one. There is no override.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Context, Decimal
from enum import Enum
from typing import cast

import msgspec
from msgspec import Struct

from trimtab.domain.events import Event, PolicyAdopted, PolicyProposed, PolicyWithdrawn
from trimtab.domain.memory import Memory
from trimtab.domain.policy import Policy
from trimtab.rules.words import instant, listing

_DIGEST_LENGTH = 16
_DIGITS = Context(prec=60)
"""Enough for every number of the file, so that only trailing zeros go, never a digit."""
_YIELDS = ("ordinary_yield", "qualified_yield")


class Tighter(Enum):
    """In which direction a limit of [gates] becomes stricter."""

    LOWER = "a lower number, or a number where there was none"
    LOWER_UNLESS_IT_SELLS = "a lower number, unless tripping it would sell into other targets"
    SET = "any value where there was none"


TIGHTER: Mapping[str, Tighter] = {
    "gates.spread_max_bps": Tighter.LOWER,
    "gates.crypto_spread_max_bps": Tighter.LOWER,
    "gates.quote_age_max_minutes": Tighter.LOWER,
    "gates.volume_max": Tighter.LOWER,
    "gates.fall_daily_max": Tighter.LOWER_UNLESS_IT_SELLS,
    "gates.fall_from_peak_max": Tighter.LOWER_UNLESS_IT_SELLS,
    "gates.price_jump_max": Tighter.LOWER,
    "gates.crypto_jump_max": Tighter.LOWER,
    "gates.turnover_max": Tighter.LOWER,
    "gates.orders_max": Tighter.LOWER,
    "gates.notional_max": Tighter.LOWER,
    "gates.market_index": Tighter.SET,
}
"""The only edits that hold at once. Nothing outside this table tightens.

A lower limit on falls stops purchases sooner. With the defensive posture `targets` it would also
sell sooner, which is how a panic would get around the cooling-off; so there it waits. Nothing of
[plan] tightens either: a lower price of drift or limit of a holding means to hold less of a class.
"""


class Change(Struct, frozen=True, kw_only=True):
    """One difference between two policies, with both sides as text ("not set" for none)."""

    path: str
    before: str
    after: str
    tightens: bool
    sentence: str


def policy_digest(policy: Policy) -> str:
    """What *policy* says as 16 hexadecimal digits; 0.6 is 0.60, and the order of tables is free."""
    text = json.dumps(_canonical(policy), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def changes(old: Policy, new: Policy) -> tuple[Change, ...]:
    """What *new* says differently from *old*, by path; empty when their digests are the same."""
    sells = old.defensive.posture == "targets"
    found = []
    for path, before, after in _differences("", _canonical(old), _canonical(new)):
        tightens = _tightens(path, before, after, breaker_sells=sells)
        found.append(
            Change(
                path=path,
                before=_words(before),
                after=_words(after),
                tightens=tightens,
                sentence=_sentence(path, before, after) + (" (tighter)." if tightens else "."),
            )
        )
    return tuple(found)


def only_tightens(found: Iterable[Change]) -> bool:
    """Whether every one of the changes makes a gate stricter."""
    return all(change.tightens for change in found)


def review(memory: Memory, new: Policy, at: dt.datetime) -> tuple[Event, ...]:
    """The events to write at the instant *at*, when the file asks for the policy *new*.

    The file counts: a proposal that it no longer asks for never comes into force, even after its
    time, and asking for something else starts the waiting anew.
    """
    digest, current, proposed = policy_digest(new), memory.policy, memory.proposed
    if current is None:
        return (_adopted(new, digest, "It is the household's first policy."),)
    found = changes(current, new)
    if not found:
        return () if proposed is None else (PolicyWithdrawn(digest=proposed.digest),)
    if only_tightens(found):
        reasons = " ".join(change.sentence for change in found)
        return (_adopted(new, digest, f"It only tightens the gates: {reasons}"),)
    if proposed is None or policy_digest(proposed.policy) != digest:
        waits = dt.timedelta(hours=current.precommitment.cooling_off_hours)
        sentences = tuple(change.sentence for change in found)
        proposal = PolicyProposed(
            policy=new, digest=digest, effective_at=at + waits, changes=sentences
        )
        return (proposal,) if waits else (_adopted(new, digest, "No cooling-off was agreed."),)
    if proposed.effective_at <= at:
        since = instant(proposed.effective_at)
        return (_adopted(new, digest, f"Its cooling-off ended on {since}."),)
    return ()


def policy_next(memory: Memory, wanted: Policy, at: dt.datetime) -> Policy:
    """The policy that a turn at *at* finds in force, when the file asks for *wanted*."""
    match review(memory, wanted, at):
        case (PolicyAdopted(policy=policy),):
            return policy
    return wanted if memory.policy is None else memory.policy


def _adopted(policy: Policy, digest: str, because: str) -> PolicyAdopted:
    return PolicyAdopted(policy=policy, digest=digest, because=because)


def _canonical(policy: Policy) -> dict[str, object]:
    """*policy* as plain values, numbers without trailing zeros.

    An account without a cash reserve is left out: to open one is a fact, not a change of policy.
    So is a yield of zero, which says nothing about its class.
    """
    plain = cast("dict[str, object]", _plain(msgspec.to_builtins(policy, builtin_types=(Decimal,))))
    reserves = cast("dict[str, str]", plain["cash_reserves"])
    plain["cash_reserves"] = {name: sum_ for name, sum_ in reserves.items() if sum_ != "0"}
    classes = cast("dict[str, dict[str, object]]", plain["classes"])
    plain["classes"] = {
        name: {key: value for key, value in rule.items() if key not in _YIELDS or value != "0"}
        for name, rule in classes.items()
    }
    return plain


def _plain(value: object) -> object:
    match value:
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case tuple() | list():
            return [_plain(inner) for inner in value]
        case Decimal() if value == 0:
            return "0"
        case Decimal():
            return f"{value.normalize(_DIGITS):f}"
    return value


def _differences(path: str, before: object, after: object) -> Iterator[tuple[str, object, object]]:
    """Every path at which the two differ; a whole table when one side does not have it."""
    if before == after:
        return
    if not isinstance(before, dict) or not isinstance(after, dict):
        yield path, before, after
        return
    for key in sorted(before.keys() | after.keys()):
        where = f"{path}.{key}" if path else str(key)
        yield from _differences(where, before.get(key), after.get(key))


def _tightens(path: str, before: object, after: object, *, breaker_sells: bool) -> bool:
    direction = TIGHTER.get(path)
    if direction is None or after is None:
        return False
    if direction is Tighter.SET:
        return before is None
    if direction is Tighter.LOWER_UNLESS_IT_SELLS and breaker_sells:
        return False
    return before is None or Decimal(str(after)) < Decimal(str(before))


def _sentence(path: str, before: object, after: object) -> str:
    """What changes at *path*, without a full stop."""
    table, _, rest = path.partition(".")
    if table == "classes" and before is None and isinstance(after, dict):
        return f"Class {rest} is new, with {_words(after)}"
    if table == "classes" and isinstance(before, dict):
        return f"Class {rest} goes away; it had {_words(before)}"
    name, _, key = rest.rpartition(".")
    if table == "classes" and key in {"target", *_YIELDS}:
        what = f"The {key.replace('_', ' ')} of class {name}"
        return f"{what} goes from {_percent(before or 0)} to {_percent(after or 0)}"
    if table == "cash_reserves":
        return f"The cash kept in account {rest} goes from {before or 0} to {after or 0}"
    if path == "precommitment.cooling_off_hours":
        return f"The cooling-off of later edits goes from {before} to {after} hours"
    return f"{path} goes from {_words(before)} to {_words(after)}"


def _percent(weight: object) -> str:
    """Every digit of it: an edit of a hundredth of a point is still an edit."""
    return f"{_plain(Decimal(str(weight)) * 100)} %"


def _words(value: object) -> str:
    match value:
        case None:
            return "not set"
        case dict():
            given = [(key, inner) for key, inner in value.items() if inner is not None]
            return listing([f"{key} {_words(inner)}" for key, inner in given]) or "nothing"
        case list():
            return listing([_words(inner) for inner in value]) or "none"
    return str(value)
