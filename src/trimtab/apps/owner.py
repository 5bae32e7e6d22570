"""What only a person does: pause and resume, re-arm the breaker, take the broker's word.

None of these loosens a rule: there is no override. Each is journaled with its reason.
"""

from collections.abc import Iterable

from trimtab.apps.home import Home, read_household, working
from trimtab.apps.world import House, Recorder, load, open_books, take_in
from trimtab.domain.errors import InputError
from trimtab.domain.events import AccountOpened, BreakerRearmed, DiscrepancyCleared, Paused, Resumed
from trimtab.domain.numbers import ONE
from trimtab.domain.ports import Clock
from trimtab.domain.trades import AccountReport, Discrepancy
from trimtab.domain.values import Lot, trade_date
from trimtab.rules.verify import compare


def pause(home: Home, clock: Clock, because: str) -> None:
    """Stop all trading from now on; a cycle that runs now stops before its next order.

    Raises:
        InputError: no reason is given, or trading is paused already.
        LeaseHeld: a cycle runs now; it stops, but the pause must be journaled by trying again.
    """
    reason = _reason(because)
    read_household(home)
    home.pause_flag.write_text(reason + "\n", encoding="utf-8")
    with working(home, command="trimtab policy pause", clock=clock) as house:
        recorder = _recorder(house)
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
    with working(home, command="trimtab policy resume", clock=clock) as house:
        recorder = _recorder(house)
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
    with working(home, command="trimtab policy rearm", clock=clock) as house:
        recorder = _recorder(house)
        if recorder.memory.breaker is None:
            msg = "the circuit breaker has not tripped, so there is nothing to re-arm."
            raise InputError(msg)
        mark = recorder.memory.mark
        unit = ONE if mark is None else mark.unit_value
        recorder.record(BreakerRearmed(because=reason, unit_value=unit))


def adopt(home: Home, clock: Clock, account: str, because: str) -> tuple[Discrepancy, ...]:
    """Take the broker's word about *account*: its positions, cash and lots replace the journal's.

    Gives the differences that were there. Lots that the journal still knows keep their basis and
    dates; a position whose lots the broker does not tell cannot be adopted.

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
        recorder = _recorder(house)
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
            ),
            DiscrepancyCleared(account=account, because=reason),
        )
        return differences


def _recorder(house: House) -> Recorder:
    memory = load(house.journal)
    return Recorder(house.journal, house.clock, memory, f"{trade_date(house.clock.now())}-owner")


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
