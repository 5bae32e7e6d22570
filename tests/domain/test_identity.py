"""Which symbols count as substantially identical, and which may stand in for which."""

import datetime as dt
from itertools import combinations
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.domain.identity import Identity, IdentityLevel, Listing

LEVELS: tuple[IdentityLevel, ...] = get_args(IdentityLevel)


def listing(symbol, fund, index, exposure, **more):
    kind = "fund" if symbol.endswith("X") else "etf"
    given = {"name": symbol, "kind": kind, "checked_on": dt.date(2026, 11, 22), **more}
    return Listing(symbol=symbol, fund=fund, index=index, exposure=exposure, **given)


def identity_of(*listings):
    return Identity(listings={one.symbol: one for one in listings})


MARKET = identity_of(
    listing("VOO", "vanguard-500", "sp-500", "us-large"),
    listing("VFIAX", "vanguard-500", "sp-500", "us-large"),
    listing("IVV", "ishares-500", "sp-500", "us-large"),
    listing("SPY", "spdr-500", "sp-500", "us-large"),
    listing("OLDX", "old-large", "old-large", "us-large", is_to_be_checked=True),
    listing("PICK", "picked", "", "us-large"),
    listing("IWB", "ishares-1000", "russell-1000", "us-large"),
    listing("SNXFX", "schwab-1000", "schwab-1000", "us-large"),
    listing("BND", "vanguard-bond", "aggregate", "us-aggregate"),
    listing("GLD", "gold-shares", "spot-gold", "gold", kind="trust", is_collectible=True),
    listing("IAU", "gold-trust", "spot-gold", "gold", kind="trust", is_collectible=True),
)


@st.composite
def identities(draw):
    """Listings in which a fund has one index, and an index one exposure, as the data promises."""
    exposures = draw(st.lists(st.sampled_from("xyz"), min_size=4, max_size=4))
    indexes = draw(st.lists(st.sampled_from(["", "i0", "i1", "i2", "i3"]), min_size=6, max_size=6))
    funds = draw(st.lists(st.integers(0, 5), min_size=1, max_size=12))
    listings = []
    for number, fund in enumerate(funds):
        index = indexes[fund]
        exposure = exposures[int(index[1])] if index else exposures[fund % 4]
        suffix = draw(st.sampled_from(["", "X"]))
        listings.append(listing(f"S{number}{suffix}", f"f{fund}", index, exposure))
    return identity_of(*listings)


def some_groups(identity):
    names = st.sampled_from([*identity.listings, "OWN", "OTHER"])
    return st.lists(st.lists(names, min_size=1, max_size=3, unique=True), max_size=3)


def is_within(groups, wider):
    return all(any(set(group) <= set(other) for other in wider) for group in groups)


# ---------------------------------------------------------------------------------- groups


def test_each_level_counts_more_as_identical_than_the_one_before():
    assert MARKET.groups("same_security") == (("VFIAX", "VOO"),)
    assert MARKET.groups("same_index") == (("GLD", "IAU"), ("IVV", "SPY", "VFIAX", "VOO"))
    assert MARKET.groups("correlated") == (
        ("GLD", "IAU"),
        ("IVV", "IWB", "OLDX", "PICK", "SNXFX", "SPY", "VFIAX", "VOO"),
    )


@given(st.data())
def test_the_groups_of_a_level_lie_within_those_of_the_next(data):
    identity = data.draw(identities())
    extra = data.draw(some_groups(identity))
    found = [identity.groups(level, extra) for level in LEVELS]
    assert is_within(found[0], found[1])
    assert is_within(found[1], found[2])


@given(st.data())
def test_no_symbol_is_in_two_groups_and_everything_is_in_alphabetical_order(data):
    identity = data.draw(identities())
    extra = data.draw(some_groups(identity))
    for level in LEVELS:
        groups = identity.groups(level, extra)
        symbols = [symbol for group in groups for symbol in group]
        assert len(symbols) == len(set(symbols))
        assert list(groups) == sorted(tuple(sorted(group)) for group in groups)
        assert all(len(group) > 1 for group in groups)


@given(st.data())
def test_the_order_in_which_things_are_listed_changes_no_group(data):
    identity = data.draw(identities())
    extra = data.draw(some_groups(identity))
    mixed = Identity(listings=dict(data.draw(st.permutations(list(identity.listings.items())))))
    turned = [list(reversed(group)) for group in reversed(extra)]
    for level in LEVELS:
        assert identity.groups(level, extra) == mixed.groups(level, turned)


def test_a_group_of_the_household_links_everything_that_its_members_are_identical_to():
    groups = MARKET.groups("same_index", [["VFIAX", "OWN"], ["OWN", "IWB"]])
    assert ("IVV", "IWB", "OWN", "SPY", "VFIAX", "VOO") in groups


@given(st.data())
def test_what_the_household_groups_is_identical_at_every_level(data):
    identity = data.draw(identities())
    extra = data.draw(some_groups(identity))
    for level in LEVELS:
        assert is_within(
            [group for group in extra if len(group) > 1], identity.groups(level, extra)
        )


def test_a_symbol_that_is_not_known_is_identical_to_itself_only():
    assert not MARKET.is_known("OWN")
    assert all("OWN" not in group for level in LEVELS for group in MARKET.groups(level))
    assert (MARKET.index_of("OWN"), MARKET.is_collectible("OWN")) == ("", False)


def test_what_a_listing_says_can_be_asked_for():
    assert MARKET.is_known("VFIAX")
    assert (MARKET.index_of("VFIAX"), MARKET.index_of("PICK")) == ("sp-500", "")
    assert MARKET.is_collectible("GLD")
    assert not MARKET.is_collectible("VOO")


def test_a_coin_that_bears_the_symbol_of_a_trust_is_left_out():
    assert MARKET.without(["IAU"]).groups("same_index") == (("IVV", "SPY", "VFIAX", "VOO"),)


# ----------------------------------------------------------------------------------- apart


def test_a_fund_set_apart_keeps_its_own_share_classes():
    assert MARKET.groups("same_index", (), [["VOO"]]) == (
        ("GLD", "IAU"),
        ("IVV", "SPY"),
        ("VFIAX", "VOO"),
    )


def test_of_the_symbols_declared_different_none_is_identical_to_another():
    assert MARKET.groups("same_index", (), [["VOO", "IVV", "SPY"], ["GLD", "IAU"]]) == (
        ("VFIAX", "VOO"),
    )


def test_a_fund_set_apart_may_still_be_in_a_group_of_the_household():
    groups = MARKET.groups("same_index", [["VOO", "IVV"]], [["VOO"]])
    assert ("IVV", "SPY", "VFIAX", "VOO") in groups


def test_two_that_are_declared_different_may_not_be_identical_through_a_third():
    with pytest.raises(InputError) as refused:
        MARKET.groups("same_index", (), [["VOO", "IVV"]])
    assert str(refused.value) == (
        "VOO and IVV are declared not identical, but SPY would be identical to both: write "
        '["IVV"] to set IVV apart from every other fund, or declare those not identical to one '
        "of the two as well."
    )


def test_share_classes_of_one_fund_cannot_be_declared_different():
    with pytest.raises(InputError, match="share classes of one fund, which always are"):
        MARKET.groups("same_security", (), [["VFIAX", "VOO"]])


def test_a_household_may_not_declare_two_symbols_both_identical_and_different():
    with pytest.raises(InputError, match="take them out of one of the two lists"):
        MARKET.groups("same_index", [["VOO", "BND"]], [["BND", "VOO"]])


def test_all_that_contradicts_itself_is_told_at_once():
    with pytest.raises(InputError) as refused:
        MARKET.groups("same_index", (), [["VOO", "IVV"], ["VFIAX", "VOO"]])
    assert "VOO and IVV are" in str(refused.value)
    assert "VFIAX and VOO are" in str(refused.value)


@given(st.data())
def test_what_is_declared_different_is_never_in_one_group(data):
    identity = data.draw(identities())
    extra, apart = data.draw(some_groups(identity)), data.draw(some_groups(identity))
    for level in LEVELS:
        try:
            groups = identity.groups(level, extra, apart)
        except InputError:
            continue
        for entry in apart:
            for pair in combinations(entry, 2):
                assert not is_within([pair], groups)


@given(st.data())
def test_the_groups_once_found_may_be_taken_for_the_households_own(data):
    identity = data.draw(identities())
    extra, apart = data.draw(some_groups(identity)), data.draw(some_groups(identity))
    for level in LEVELS:
        try:
            groups = identity.groups(level, extra, apart)
        except InputError:
            continue
        assert identity.groups(level, groups, apart) == groups


# ------------------------------------------------------------------------------------- why


@pytest.mark.parametrize(
    ("pair", "level", "sentence"),
    [
        (("VOO", "VOO"), "same_security", "VOO is one and the same security."),
        (
            ("VOO", "VFIAX"),
            "same_security",
            "VOO and VFIAX are shares of one fund, so they count as identical at every level.",
        ),
        (
            ("VOO", "IVV"),
            "same_index",
            "VOO and IVV both track sp-500, so they count as identical at the level same_index.",
        ),
        (
            ("VOO", "IVV"),
            "same_security",
            (
                "VOO and IVV both track sp-500 but are different funds, which do not count as "
                "identical at the level same_security."
            ),
        ),
        (
            ("GLD", "IAU"),
            "same_index",
            "GLD and IAU hold gold alike, so they count as identical at the level same_index.",
        ),
        (
            ("VOO", "IWB"),
            "same_index",
            (
                "VOO and IWB move nearly alike (us-large), but VOO tracks sp-500 and IWB tracks "
                "russell-1000: not identical at the level same_index."
            ),
        ),
        (
            ("VOO", "PICK"),
            "correlated",
            (
                "VOO and PICK follow different rules but move nearly alike (us-large), so they "
                "count as identical at the level correlated."
            ),
        ),
        (
            ("PICK", "GLD"),
            "correlated",
            "PICK and GLD are not identical at any level: PICK is active and GLD holds gold.",
        ),
        (
            ("VOO", "OWN"),
            "correlated",
            (
                "VOO and OWN do not count as identical: nothing is known of OWN, which is "
                "identical to nothing else unless a group of your own says so."
            ),
        ),
    ],
)
def test_a_sentence_says_why(pair, level, sentence):
    assert MARKET.why(*pair, level) == sentence


def test_a_sentence_says_what_the_household_itself_decided():
    own = [["VOO", "OWN"], ["OWN", "BND"]]
    assert MARKET.why("OWN", "BND", "same_index", own) == (
        "OWN and BND count as identical because a group of your own says so."
    )
    assert MARKET.why("VFIAX", "BND", "same_index", own) == (
        "VFIAX and BND count as identical because a group of your own links them through others."
    )
    assert MARKET.why("GLD", "IAU", "same_index", (), [["GLD"]]) == (
        "GLD and IAU do not count as identical because your own list sets them apart."
    )


@given(st.data())
def test_what_the_sentence_says_agrees_with_the_groups(data):
    identity = data.draw(identities())
    extra, apart = data.draw(some_groups(identity)), data.draw(some_groups(identity))
    level = data.draw(st.sampled_from(LEVELS))
    names = st.sampled_from([*identity.listings, "OWN", "OTHER"])
    first, second = data.draw(names), data.draw(names)
    assume(first != second)
    try:
        together = is_within([(first, second)], identity.groups(level, extra, apart))
    except InputError:
        assume(False)
    sentence = identity.why(first, second, level, extra, apart)
    assert ("not" not in sentence.replace("another", "")) == together
    assert sentence.endswith(".")


# ----------------------------------------------------------------------------- substitutes


def symbols_of(listings):
    return [one.symbol for one in listings]


def test_a_substitute_trades_alike_and_tracks_another_index_that_has_been_checked():
    assert symbols_of(MARKET.substitutes("VOO", "same_index")) == ["IWB", "PICK", "SNXFX", "OLDX"]
    assert symbols_of(MARKET.substitutes("VFIAX", "same_index")) == ["SNXFX", "OLDX", "IWB", "PICK"]


def test_a_fund_on_the_same_index_is_no_substitute_whatever_the_level():
    assert "IVV" not in symbols_of(MARKET.substitutes("VOO", "same_security"))
    assert "IVV" not in symbols_of(MARKET.substitutes("VOO", "same_index", (), [["VOO"]]))


def test_what_tracks_the_index_of_something_identical_is_no_substitute_either():
    own = [["IWB", "IVV"]]
    assert symbols_of(MARKET.substitutes("IWB", "same_security", own)) == ["PICK", "SNXFX", "OLDX"]


def test_nothing_stands_in_for_gold_or_for_what_is_not_known():
    assert MARKET.substitutes("GLD", "same_index") == ()
    assert MARKET.substitutes("OWN", "same_index") == ()


def test_where_all_that_moves_alike_is_identical_only_what_is_set_apart_stands_in():
    assert MARKET.substitutes("VOO", "correlated") == ()
    assert symbols_of(MARKET.substitutes("VOO", "correlated", (), [["IWB"]])) == ["IWB"]


@given(st.data())
def test_a_substitute_is_never_identical_and_never_tracks_the_same_index(data):
    identity = data.draw(identities())
    extra, apart = data.draw(some_groups(identity)), data.draw(some_groups(identity))
    for level in LEVELS:
        try:
            groups = identity.groups(level, extra, apart)
        except InputError:
            continue
        for symbol, mine in identity.listings.items():
            identical = {symbol}.union(*(group for group in groups if symbol in group))
            for one in identity.substitutes(symbol, level, extra, apart):
                assert one.symbol not in identical
                assert one.exposure == mine.exposure
                assert not one.index or one.index not in map(identity.index_of, identical)
