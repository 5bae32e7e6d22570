"""The page of the policy in force says what the planner weighs, and nothing of what is at rest."""

import re

import pytest
from tests.houses import START, TOML

from trimtab.apps.views.page import Sentence
from trimtab.apps.views.policy import policy_page
from trimtab.domain.household import decode_household
from trimtab.domain.memory import Memory

PLAN = """
[plan]
drift_price = 0.05
order_cost = 12
sell_least = 250
location_years = 15
raise_cash_days = 1
harvests = "always"
holdings_max = { VTI = 0.30, BND = 0.255 }
"""


def told(text: str) -> list[str]:
    page = policy_page(decode_household(text), Memory(), START, ".")
    return [block.text for block in page if isinstance(block, Sentence)]


def with_yield(text: str) -> str:
    return text.replace("[classes.bonds]\n", "[classes.bonds]\nordinary_yield = 0.0425\n")


def test_a_plan_at_rest_is_told_in_one_sentence():
    found = " ".join(told(TOML))
    assert (
        "Planning: moving money back to its class may cost 20.0 % of it; cash for a withdrawal is "
        "ready 7 days before; losses are taken when there is a plan anyhow."
    ) in found
    assert not re.search("Weighed|Bought up to|Yields", found)


@pytest.mark.parametrize(
    "sentence",
    [
        "Planning: moving money back to its class may cost 5.0 % of it;",
        "cash for a withdrawal is ready 1 day before;",
        "losses are taken on any day.",
        "Weighed beside tax and fees: an order costs 12.00 of the owner's time;",
        "selling must be worth 250.00 more than buying alone.",
        "Bought up to a part of the whole: BND 25.5 % and VTI 30.0 %.",
        "Yields a year, ordinary and qualified: bonds 4.25 % and 0.00 %;",
        "a better account is worth what it saves in 15 years.",
    ],
)
def test_every_option_of_the_plan_is_told(sentence):
    assert sentence in " ".join(told(with_yield(TOML) + PLAN))


def test_yields_are_not_told_where_no_class_is_moved():
    text = with_yield(TOML) + PLAN.replace("location_years = 15", "location_years = 0")
    assert not any(sentence.startswith("Yields") for sentence in told(text))
