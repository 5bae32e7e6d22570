"""A storm that nothing can fail proves nothing: each safeguard is taken away, and storms notice."""

import pytest
from tests.storm.storm_world import Storm

from trimtab.apps import execute, run, world
from trimtab.domain.errors import BrokerError, BrokerUnknown
from trimtab.domain.events import OrderIntended
from trimtab.domain.trades import OrderStatus, Receipt

SEEDS = 40
DAYS = 25


def without_the_write_ahead(monkeypatch):
    """The broker hears of an order, and only then it is written down."""

    def send(house, recorder, order):
        broker = house.brokers[house.accounts[order.account].broker]
        try:
            receipt = broker.submit(order)
        except BrokerError as error:
            receipt = execute._unknown(order, str(error))
        recorder.record(OrderIntended(order=order))
        execute._answer(recorder, receipt)

    monkeypatch.setattr(execute, "_send", send)


def without_the_dedup(monkeypatch):
    """What the broker reports is booked, whether it was booked before or not."""
    monkeypatch.setattr(
        world, "new_activities", lambda memory, happened: sorted(happened, key=lambda a: a.at)
    )


def without_the_reconciliation(monkeypatch):
    """Nobody asks what became of orders that were not answered."""
    monkeypatch.setattr(run, "settle", lambda house, recorder: None)


def with_silence_taken_for_failure(monkeypatch):
    """A time-out is booked as a rejection."""

    def failed(order, text):
        return Receipt(order_id=order.id, broker_id="", status=OrderStatus.REJECTED, text=text)

    monkeypatch.setattr(execute, "_unknown", failed)


def without_the_comparison(monkeypatch):
    """Nobody compares the journal with what the broker says it holds."""
    monkeypatch.setattr(run, "verify", lambda house, recorder: ())


def with_blind_resending(monkeypatch):
    """An order that cannot be found is sent once more, by whatever cycle misses it."""
    settle_one = execute._settle_one

    def settle_or_send(house, recorder, broker, known):
        try:
            receipt = execute._look_up(house, broker, known.order)
        except BrokerUnknown:
            return
        if receipt is None:
            execute._submit(house, recorder, broker, known.order)
        else:
            settle_one(house, recorder, broker, known)

    monkeypatch.setattr(execute, "_settle_one", settle_or_send)


def with_decisions_on_doubtful_positions(monkeypatch):
    """It is decided although an order is not settled, or positions differ."""
    monkeypatch.setattr(run, "_require_known_positions", lambda memory: None)


@pytest.mark.parametrize(
    ("sabotage", "symptom"),
    [
        (without_the_write_ahead, "sent before written|the journal did not"),
        (without_the_dedup, "booked twice|sold twice"),
        (without_the_reconciliation, "still open"),
        (with_silence_taken_for_failure, "and really filled"),
        (without_the_comparison, "decided on what|is lost"),
        (with_blind_resending, "orders for one intention|and really|after the split|differs"),
        (with_decisions_on_doubtful_positions, "decided on what"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_storm_notices_a_household(sabotage, symptom, monkeypatch):
    sabotage(monkeypatch)
    with pytest.raises(AssertionError, match=symptom):
        _storm(is_forgetful=sabotage is with_blind_resending)


def _storm(*, is_forgetful):
    """Storms until one notices; a forgetful broker then has two orders of one sent twice."""
    for seed in range(SEEDS):
        storm = Storm(seed, forgetful=is_forgetful or None)
        storm.rage(DAYS)
        storm.calm_down()
