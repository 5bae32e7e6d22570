"""What only a person does: pause and resume, re-arm what tripped, take the broker's word.

None of these loosens a rule: there is no override. Each is journaled with its reason.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from trimtab.adapters.lease import writing
from trimtab.apps.home import Home, require_household, working
from trimtab.apps.world import Recorder, flow_of, load, open_books, take_in
from trimtab.domain.aim import LOCKED, Aim
from trimtab.domain.errors import InputError
from trimtab.domain.events import (
    AccountOpened,
    BreakerRearmed,
    DiscrepancyCleared,
    Paused,
    Resumed,
    StrategyRearmed,
)
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ONE
from trimtab.domain.ports import Clock
from trimtab.domain.trades import AccountReport, Discrepancy
from trimtab.domain.values import Lot, trade_date
from trimtab.rules.verify import compare


def pause(home: Home, clock: Clock, because: str) -> None:
    """Stop all trading from now on; a cycle that runs now stops before its next order.

    It needs the journal and nothing else: neither household.toml nor a price is read.

    Raises:
        InputError: no reason is given, or trading is paused already.
        LeaseHeld: a cycle runs now; it stops, and the next one journals the pause.
    """
    reason = _reason(because)
    require_household(home)
    home.pause_flag.write_text(reason + "\n", encoding="utf-8")
    with _writing(home, clock, "trimtab policy pause") as recorder:
        if recorder.memory.paused is not None:
            msg = f"trading is paused already: {recorder.memory.paused}."
            raise InputError(msg)
        recorder.record(Paused(because=reason))


def resume(home: Home, clock: Clock, because: str) -> None:
    """Let trading go on after a pause.

    Raises:
        InputError: no reason is given, or trading is not paused.
    """
    reason = _reason(because)
    require_household(home)
    with _writing(home, clock, "trimtab policy resume") as recorder:
        if recorder.memory.paused is None and not home.pause_flag.exists():
            msg = "trading is not paused, so there is nothing to resume."
            raise InputError(msg)
        if recorder.memory.paused is not None:
            recorder.record(Resumed(because=reason))
        home.pause_flag.unlink(missing_ok=True)


def rearm(home: Home, clock: Clock, because: str) -> None:
    """End the defensive posture: the fall is measured from where the savings stand now.

    Raises:
        InputError: no reason is given, or the breaker has not tripped.
    """
    reason = _reason(because)
    require_household(home)
    with _writing(home, clock, "trimtab policy rearm") as recorder:
        if recorder.memory.breaker is None:
            msg = "the circuit breaker has not tripped, so there is nothing to re-arm."
            raise InputError(msg)
        mark = recorder.memory.mark
        unit = ONE if mark is None else mark.unit_value
        recorder.record(BreakerRearmed(because=reason, unit_value=unit))


def rearm_strategy(home: Home, clock: Clock, because: str) -> str:
    """Let the strategy that locked itself take risk again from the next turn on; gives its name.

    Raises:
        InputError: no reason is given, no strategy is locked, or it would lock again at once.
    """
    reason = _reason(because)
    require_household(home)
    with _writing(home, clock, "trimtab targets --rearm") as recorder:
        aim = recorder.memory.aim
        layers = () if aim is None else aim.layers
        locked = next((layer.name for layer in layers if LOCKED in layer.state), None)
        if locked is None:
            msg = "no strategy has hit its floor, so there is nothing to re-arm."
            raise InputError(msg)
        if _is_in_vain(recorder.memory, aim, locked):
            msg = (
                f"at the last turn the savings were not above the floor of {locked}, so re-arming "
                "it changes nothing: add money, or lower the floor in household.toml, and re-arm "
                "after the next turn."
            )
            raise InputError(msg)
        recorder.record(StrategyRearmed(strategy=locked, because=reason))
        return locked


def adopt(home: Home, clock: Clock, account: str, because: str) -> tuple[Discrepancy, ...]:
    """Take the broker's word about *account*: its positions, cash and lots replace the journal's.

    Gives the differences that were there; what they change in value is a flow. Lots that the
    journal still knows keep their basis and dates; a position whose lots the broker does not tell
    cannot be adopted.

    Raises:
        InputError: no such account, no reason, nothing differs, or the broker tells no lots.
        BrokerUnknown: the broker gave no word.
    """
    reason = _reason(because)
    with working(home, command="trimtab verify --adopt", clock=clock) as house:
        if account not in house.accounts:
            msg = f"there is no account {account!r}: the household has {', '.join(house.accounts)}."
            raise InputError(msg)
        broker = house.brokers.get(house.accounts[account].broker)
        if broker is None:
            msg = f"{account} is known from files only: edit them, and the next run follows."
            raise InputError(msg)
        recorder = Recorder(house.journal, clock, load(house.journal), _cycle(clock))
        open_books(house, recorder)
        take_in(house, recorder, [account])
        report = broker.report(account)
        differences = compare(recorder.memory, report)
        if not differences:
            msg = f"{account}: journal and broker agree, so there is nothing to adopt."
            raise InputError(msg)
        lots = _lots_of(recorder.memory.lots.values(), report)
        recorder.record(
            AccountOpened(
                account=account,
                lots=lots,
                cash=dict(report.cash),
                source=f"the broker's word: {reason}",
                flow=flow_of(house, recorder.memory, account, lots, report.cash),
            ),
            DiscrepancyCleared(account=account, because=reason),
        )
        return differences


def _is_in_vain(memory: Memory, aim: Aim | None, locked: str) -> bool:
    """Whether the floor would be hit again at once: only a ratchet begins anew below the value."""
    if locked != "cppi" or aim is None or memory.policy is None:
        return False
    rule = memory.policy.strategy.cppi
    if rule.floor == "ratchet" and rule.keeps is not None and rule.keeps < ONE:
        return False
    layer = next(layer for layer in aim.layers if layer.name == locked)
    return layer.figures.get("cushion", 1.0) <= 0


@contextmanager
def _writing(home: Home, clock: Clock, command: str) -> Iterator[Recorder]:
    """The journal and the lease on it, whatever state the household's other files are in."""
    with writing(home.journal, command=command, create=True) as journal:
        yield Recorder(journal, clock, load(journal), _cycle(clock))


def _cycle(clock: Clock) -> str:
    return f"{trade_date(clock.now())}-owner"


def _lots_of(known: Iterable[Lot], report: AccountReport) -> tuple[Lot, ...]:
    if report.lots is None:
        msg = (
            f"{report.account}: its broker does not tell lots, so its word cannot be adopted whole."
        )
        raise InputError(msg)
    taken = {lot.id for lot in known if lot.account != report.account}
    clash = next((lot.id for lot in report.lots if lot.id in taken), None)
    assert clash is None, f"lot {clash} would belong to two accounts"
    return report.lots


def _reason(because: str) -> str:
    reason = " ".join(because.split()).rstrip(".")
    if not reason:
        msg = 'a reason is needed, for whoever reads the journal later: --because "...".'
        raise InputError(msg)
    return reason
