"""What a flow is: value that comes into the household from outside, or leaves it."""

import datetime as dt

from trimtab.domain.events import AccountOpened, CashMoved, Event
from trimtab.domain.values import PastFlow, trade_date


def flow_in(event: Event, at: dt.datetime) -> PastFlow | None:
    """What *event*, journaled *at* an instant, brought into an account; None where it is no flow.

    A flow is a deposit or withdrawal that a broker reports, by the day on which it moved, or what
    an account is worth more (less: negative) once its figures were replaced, by an edited file or
    the broker's word, by the day on which they were. Trades, dividends, interest and fees are none.
    """
    match event:
        case CashMoved(movement=movement, in_base=amount) if movement.is_flow:
            return PastFlow(account=movement.account, date=trade_date(movement.at), amount=amount)
        case AccountOpened(account=account, flow=amount) if amount:
            return PastFlow(account=account, date=trade_date(at), amount=amount)
        case _:
            return None
