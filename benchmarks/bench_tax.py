"""How long the tax ledger takes over a long history, and how much memory.

An invented household that trades without rest: ten years, 50 symbols (ten pairs of them
substantially identical), four accounts. 55 % of the transactions are purchases, one in six of them
a reinvested dividend; 45 % are sales: 17 first in, first out, 11 by lots that are named, and
between 5 and 6 each of last in, first out, `hifo` and `min_tax`. A longer history falls into the
same ten years, so that each loss meets more purchases within its window: the time for one grows.

Each size runs in a process of its own, so that its peak memory is its own. The history is written
in portions while the clock stands still. The peer is the oracle of the tests, which judges share by
share, over the same small history in the same run.

    python benchmarks/bench_tax.py
"""

import datetime as dt
import json
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from trimtab.domain.history import TaxAccount, Transaction, TransactionKind, WashRule
from trimtab.domain.trades import LotPick
from trimtab.domain.values import AccountKind, OwnerRole
from trimtab.rules.tax.ledger import Ledger

SIZES = {10_000: 7, 100_000: 3, 1_000_000: 1}
"""Transactions, and how many rounds are measured."""
PEER_SIZE = 2_000
PEER_ROUNDS = 3
PORTION = 10_000
START = dt.date(2015, 1, 2)
DAYS = 3_650
SYMBOLS = tuple(f"S{number:02}" for number in range(50))
RULE = WashRule(groups=tuple(zip(SYMBOLS[:10], SYMBOLS[10:20], strict=True)))
RATES = (Decimal("0.37"), Decimal("0.15"))
ACCOUNTS = {
    account.id: account
    for account in (
        TaxAccount(id="mine", owner="anna"),
        TaxAccount(id="picked", owner="anna"),
        TaxAccount(id="his", owner="ben", role=OwnerRole.SPOUSE),
        TaxAccount(id="ira", owner="anna", kind=AccountKind.TRADITIONAL_IRA),
    )
}
METHODS = {
    "mine": ("fifo", "lifo"),
    "picked": ("specified",),
    "his": ("hifo", "min_tax"),
    "ira": ("fifo",),
}


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}: seconds are medians")
    print("A row is what one sale takes from one piece of a lot.\n")
    head = ("transactions", "rounds", "seconds", "min .. max", "each", "rows", "washed", "peak")
    print("{:>12} {:>6} {:>8} {:>16} {:>9} {:>9} {:>9} {:>9}".format(*head))
    for size, rounds in SIZES.items():
        runs = [in_own_process(size) for _ in range(rounds)]
        seconds = [run["seconds"] for run in runs]
        spread = f"{min(seconds):.2f} .. {max(seconds):.2f}"
        each = f"{1e6 * median(seconds) / size:.1f} us"
        peak = f"{median(run['peak'] for run in runs):.0f} MiB"
        print(
            f"{size:>12,} {rounds:>6} {median(seconds):>8.2f} {spread:>16} {each:>9} "
            f"{runs[0]['sales']:>9,} {runs[0]['washed']:>9,} {peak:>9}"
        )
    print(f"\nAn interpreter with the ledger imported takes {in_own_process(0)['peak']:.0f} MiB.")
    peer()


def in_own_process(size: int) -> dict[str, float]:
    command = [sys.executable, __file__, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]  # our own print, read back


def measure(size: int) -> dict[str, float]:
    """Seconds in the ledger alone, and the peak of the process in MiB."""
    ledger, seconds = Ledger(ACCOUNTS, RULE, RATES), 0.0
    history = household(size)
    while portion := list(islice(history, PORTION)):
        start = perf_counter()
        ledger.extend(portion)
        seconds += perf_counter() - start
    sold = washed = 0
    for row in ledger._sales:  # noqa: SLF001  reading them as values would double the memory
        sold, washed = sold + 1, washed + (row.disallowed > 0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak": peak, "sales": sold, "washed": washed}


def peer() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.rules.tax.oracle import judge  # noqa: PLC0415  only a checkout has the tests

    history = list(household(PEER_SIZE))
    fast, slow = [], []
    for _ in range(PEER_ROUNDS):
        start = perf_counter()
        ledger = Ledger(ACCOUNTS, RULE, RATES)
        ledger.extend(history)
        ledger.sales(), ledger.lots()
        fast.append(perf_counter() - start)
        start = perf_counter()
        judge(history, ACCOUNTS, RULE, RATES).taxed_rows()
        slow.append(perf_counter() - start)
    print(
        f"Share by share, the oracle of the tests takes {median(slow):.2f} s over {PEER_SIZE:,} "
        f"transactions, the ledger {1e3 * median(fast):.0f} ms: "
        f"{median(slow) / median(fast):.0f} x."
    )


# ------------------------------------------------------------------ an invented household


def household(size: int) -> Iterator[Transaction]:
    """*size* transactions over ten years, the same ones for the same size."""
    rng = Random(size)
    prices = {symbol: 4_000 + 40 * number for number, symbol in enumerate(SYMBOLS)}
    held: dict[tuple[str, str], int] = {}
    picked: dict[str, list[list[int | str]]] = {symbol: [] for symbol in SYMBOLS}
    for number in range(size):
        day = START + dt.timedelta(days=DAYS * number // size)
        account, symbol = rng.choice(("mine", "picked", "his", "ira")), rng.choice(SYMBOLS)
        prices[symbol] = max(500, prices[symbol] + rng.randint(-60, 61))
        has = held.get((account, symbol), 0)
        if has < 20 or rng.random() < 0.55:
            units = rng.randint(1, 20)
            held[account, symbol] = has + units
            if account == "picked":
                picked[symbol].append([f"t{number}", units])
            yield bought(number, day, (account, symbol), units, prices[symbol], rng.random() < 0.16)
        else:
            units = rng.randint(1, 24)
            units = min(units, has)
            held[account, symbol] = has - units
            picks = named(picked[symbol], units, rng) if account == "picked" else ()
            yield sold(number, day, (account, symbol), units, prices[symbol], picks)


def bought(
    number: int,
    day: dt.date,
    place: tuple[str, str],
    units: int,
    cents: int,
    is_reinvested: bool,  # noqa: FBT001  the sixth fact of a purchase
) -> Transaction:
    return Transaction(
        id=f"t{number}",
        date=day,
        account=place[0],
        symbol=place[1],
        kind=TransactionKind.REINVEST if is_reinvested else TransactionKind.BUY,
        quantity=Decimal(units),
        amount=Decimal(units * cents).scaleb(-2),
        fee=Decimal("0.35"),
    )


def sold(
    number: int,
    day: dt.date,
    place: tuple[str, str],
    units: int,
    cents: int,
    picks: tuple[LotPick, ...],
) -> Transaction:
    methods = METHODS[place[0]]
    return Transaction(
        id=f"t{number}",
        date=day,
        account=place[0],
        symbol=place[1],
        kind=TransactionKind.SELL,
        quantity=Decimal(units),
        amount=Decimal(units * cents).scaleb(-2),
        fee=Decimal("0.37"),
        method=methods[number % len(methods)],
        picks=picks,
    )


def named(lots: list[list[int | str]], units: int, rng: Random) -> tuple[LotPick, ...]:
    """Lots drawn at random for so many units; what is taken leaves *lots*."""
    picks = []
    while units:
        place = rng.randrange(len(lots))
        lot_id, there = lots[place]
        part = min(units, int(there))
        picks.append(LotPick(lot_id=str(lot_id), quantity=Decimal(part)))
        units -= part
        lots[place][1] = int(there) - part
        if not lots[place][1]:
            lots[place] = lots[-1]
            lots.pop()
    return tuple(picks)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()
