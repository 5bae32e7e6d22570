"""What a page says where nothing is traded, although something should be."""

import pytest
from tests.houses import TOML, FixedPrices, house_of, lot

from trimtab.apps.cli.terminal import plain_lines
from trimtab.apps.cli.turns import known_of, take_look
from trimtab.apps.views.closing import after_plan
from trimtab.apps.views.plan import decision_blocks, decision_document

PRICES = {"VTI": "300", "ITOT": "130", "BND": "72", "BTC-USD": "60000"}
PATIENT = TOML.replace("[tax]", "[plan]\ndrift_price = 0\n[tax]")
CASH = {"taxable": "1200"}
HEADING = "Lots that stay and soon turn long term"


@pytest.mark.parametrize(("bought", "is_shown"), [("2025-04-01", True), ("2020-04-01", False)])
def test_lots_of_a_heavy_class_that_wait_are_shown_without_a_plan(bought, is_shown):
    house = house_of(
        [lot("taxable", "VTI", "200", "30000", bought)], CASH, FixedPrices(PRICES), toml=PATIENT
    )
    outcome, look = take_look(house)
    assert look is not None
    assert look.decision.plan is None
    known = known_of(house, look)
    lines = plain_lines(decision_blocks(look.decision, known))
    assert (HEADING in lines) is is_shown
    aging = decision_document(look.decision, known).aging
    assert len(aging) == int(is_shown)
    (last,) = plain_lines(after_plan(outcome, "home", is_invented=False))
    assert "There is nothing to do" not in last
    assert "Until something changes, `trimtab watch --execute --folder home` keeps looking." in last
