"""What a household aims at and why, as a page and as a document."""

from decimal import Decimal

from trimtab.apps.aiming import Aiming, left_by
from trimtab.apps.views.figures import digits, offset, rate, typed
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.status import edit_sentence
from trimtab.apps.views.targets_documents import (
    ClassTargetDocument,
    GapRiskDocument,
    LayerDocument,
    TargetsDocument,
)
from trimtab.domain.aim import Aim, Layer
from trimtab.domain.numbers import ZERO, Weight, to_decimal
from trimtab.rules.targets.cppi_gaps import Gaps, sentences
from trimtab.rules.words import instant, listing, money, percent

_PERCENT = ("tracking_error", "return_of", "shrinkage", "floor_growth")
_MONEY = frozenset({"floor", "cushion", "exposure", "held"})
_PERIODS = {
    "day": "every day",
    "week": "once a week",
    "month": "once a month",
    "quarter": "once a quarter",
    "year": "once a year",
}
_TITLES = {
    "volatility_in_sample": "volatility a year of these sessions (fitted: too low)",
    "volatility_estimated": "volatility a year by the estimate",
    "volatility_expected_most": "volatility a year to expect, at most",
    "tracking_error": "distance from the mix without it, a year",
    "observations": "sessions seen",
    "shrinkage": "drawn towards the simple model by",
    "cushion": "savings above the floor",
    "exposure": "to hold in risky classes",
    "held": "held in risky classes",
    "floor_growth": "growth of the floor, a year",
}


def verdict(aiming: Aiming) -> str:
    """What holds, in one sentence."""
    if aiming.memory.breaker is not None:
        return _posture(aiming)
    aim = aiming.aim
    if aim is not None:
        return aim.sentence
    if aiming.policy.strategy.layers:
        return "The strategy was never asked: no turn has run with it, and a price is missing now."
    if aiming.policy.glide.points:
        return "The household glides from target to target by date."
    return "The household holds its own targets; no strategy changes them."


def _posture(aiming: Aiming) -> str:
    """What the defensive posture changes about the targets."""
    policy = aiming.policy
    if policy.defensive.posture == "reduce_only":
        return (
            "The defensive posture holds: the targets stay, and no risky class is bought, whatever "
            "they want."
        )
    fallback = {name: policy.defensive.targets.get(name, ZERO) for name in policy.classes}
    if aiming.in_force == fallback:
        return (
            "The defensive posture holds: its targets are in force, and what is aimed at waits "
            "unless it puts less into risky classes."
        )
    return (
        "The defensive posture holds; what is aimed at puts less into risky classes than its "
        "targets, and stays in force."
    )


def targets_page(aiming: Aiming, folder: str) -> list[Block]:
    """All of `trimtab targets`."""
    aim, currency = aiming.aim, aiming.file.household.base_currency
    blocks: list[Block] = [
        Sentence(verdict(aiming), "good"),
        Heading(f"{aiming.file.household.name}, {instant(aiming.at)}"),
        *(item(text, style) for text, style in _facts(aiming, folder)),
        Heading("Targets"),
        _table(aiming),
    ]
    for layer in () if aim is None else aim.layers:
        blocks.append(Heading(layer.name))
        blocks += [item(text, "warn" if layer.doubt else "") for text in layer.sentences]
        blocks += [item(text, "warn") for text in _left_sentences(aiming, layer)]
        blocks += [item(text) for text in _gap_sentences(aiming, layer)]
        if layer.figures:
            blocks.append(_figures(layer, currency))
    if aim is None and aiming.missing is None:
        blocks.append(
            Sentence(
                "What there is beside fixed targets, for household.toml: `trimtab targets "
                "--options`.",
                "strong",
            )
        )
    return blocks


def targets_document(aiming: Aiming) -> TargetsDocument:
    """All of `trimtab targets --json`."""
    aim, look = aiming.aim, aiming.look
    weights = _weights(aiming)
    return TargetsDocument(
        household=aiming.file.household.name,
        currency=aiming.file.household.base_currency,
        at=aiming.at,
        sentence=verdict(aiming),
        missing=aiming.missing,
        warnings=aiming.warnings,
        edit=_edit(aiming),
        is_defensive=aiming.memory.breaker is not None,
        since=None if aiming.memory.aim is None else aiming.memory.aim.since,
        estimated_on=None if aim is None else aim.estimated_on,
        next_estimate=aiming.next_estimate,
        next_point=aiming.next_point,
        classes=tuple(
            ClassTargetDocument(
                asset_class=name,
                own=digits(aiming.own[name]),
                in_force=digits(aiming.in_force[name]),
                next=None if look is None else digits(look.targets[name]),
                weight=digits(weights[name]) if name in weights else None,
            )
            for name in aiming.policy.classes
        ),
        layers=tuple(
            _layer_document(layer, _left_sentences(aiming, layer))
            for layer in (aim.layers if aim else ())
        ),
        gap_risk=None if aiming.gaps is None else _gap_document(aiming.gaps),
        gap_doubt=aiming.gap_doubt,
    )


def _left_sentences(aiming: Aiming, layer: Layer) -> tuple[str, ...]:
    """That more is in risky classes than CPPI wants, because the last plan left it there."""
    left = left_by(aiming, layer)
    if left is None:
        return ()
    currency = aiming.file.household.base_currency
    held, wanted = (
        money(to_decimal(layer.figures[name], 2), currency) for name in ("held", "exposure")
    )
    told = (
        f"{held} is held in risky classes and {wanted} wanted: the plan of {left.on} could not "
        f"sell enough of {listing(list(left.classes))}; `trimtab plan` says why."
    )
    return (told,)


def _gap_sentences(aiming: Aiming, layer: Layer) -> tuple[str, ...]:
    """The gap risk, below the layer that has one."""
    if layer.name != "cppi":
        return ()
    if aiming.gap_doubt is not None:
        return (f"The gap risk cannot be told: {aiming.gap_doubt}.",)
    return () if aiming.gaps is None else sentences(aiming.gaps)


def _gap_document(gaps: Gaps) -> GapRiskDocument:
    most = gaps.multiplier_max
    return GapRiskDocument(
        volatility=gaps.volatility,
        multiplier_now=gaps.multiplier_now,
        textbook=gaps.textbook,
        capped=gaps.capped,
        first=gaps.first,
        last=gaps.last,
        months=gaps.months,
        windows=gaps.real.windows,
        breached=gaps.real.breached,
        looks=gaps.looks,
        worst=None if gaps.worst is None else digits(gaps.worst),
        worst_on=gaps.worst_on,
        multiplier_max=None if most is None else digits(most),
        sentences=sentences(gaps),
    )


def _layer_document(layer: Layer, more: tuple[str, ...]) -> LayerDocument:
    return LayerDocument(
        name=layer.name,
        targets={name: digits(weight) for name, weight in layer.targets.items()},
        sentences=(*layer.sentences, *more),
        figures={name: repr(figure) for name, figure in layer.figures.items()},
        state=layer.state,
        doubt=layer.doubt or None,
    )


def _facts(aiming: Aiming, folder: str) -> list[tuple[str, str]]:
    facts = []
    memory, aim = aiming.memory, aiming.aim
    if aiming.missing is not None:
        text = f"What a turn now would aim at cannot be told: {aiming.missing}"
        facts.append((text, "warn"))
    if memory.breaker is not None:
        ends = typed("policy rearm", folder)
        facts.append((f"The circuit breaker has tripped: {memory.breaker}. {ends} ends it.", "bad"))
    if aim is not None:
        facts += [(text, "") for text in _dates(aiming, aim, folder)]
    elif aiming.next_point is not None:
        facts.append((f"The next point of the glide path is {aiming.next_point}.", ""))
    facts += [(text, "warn") for text in aiming.warnings]
    edit = _edit(aiming)
    if edit is not None:
        facts.append((f"{edit} {typed('policy', folder)} tells the changes.", "warn"))
    return facts


def _edit(aiming: Aiming) -> str | None:
    """That household.toml asks for a policy other than the one in force, and from when it holds."""
    return edit_sentence(aiming.memory, aiming.file.policy(), aiming.at)


def _dates(aiming: Aiming, aim: Aim, folder: str) -> list[str]:
    known = aiming.memory.aim
    if known is None:
        held = "No turn has run with this strategy, so the household's own targets are in force."
    else:
        held = f"In force since {known.since}."
    estimated = "Asked at every look."
    if aiming.is_scheduled:
        estimated = (
            f"Estimated on {aim.estimated_on}, {_PERIODS[aiming.policy.strategy.every]}; again "
            f"from {aiming.next_estimate} on."
        )
    facts = [held, estimated]
    if _moves(aiming):
        facts.append(f"The next turn puts the new targets in force: {typed('run', folder)}.")
    return facts


def _moves(aiming: Aiming) -> bool:
    """Whether a turn now would move the targets by as much as the table can show."""
    if aiming.look is None:
        return False
    wanted = aiming.look.targets
    return any(rate(wanted[name]) != rate(held) for name, held in aiming.in_force.items())


def _weights(aiming: Aiming) -> dict[str, Weight]:
    if aiming.look is None:
        return {}
    return {drift.asset_class: drift.weight for drift in aiming.look.drifts}


def _table(aiming: Aiming) -> Table:
    layers = () if aiming.aim is None else aiming.aim.layers
    weights, moves = _weights(aiming), _moves(aiming)
    columns = [Column("class"), Column("own", is_figure=True)]
    columns += [Column(layer.name, is_figure=True, spare=at) for at, layer in enumerate(layers, 1)]
    columns.append(Column("in force", is_figure=True))
    columns += [Column("next turn", is_figure=True)] if moves else []
    columns += [Column("weight", is_figure=True), Column("off", is_figure=True)]
    rows = []
    for name in aiming.policy.classes:
        cells = [name, rate(aiming.own[name]), *(rate(layer.targets[name]) for layer in layers)]
        cells.append(rate(aiming.in_force[name]))
        goal = aiming.in_force[name]
        if moves and aiming.look is not None:
            goal = aiming.look.targets[name]
            cells.append(rate(goal))
        weight = weights.get(name)
        cells += ["?", "?"] if weight is None else [rate(weight), offset(weight - goal)]
        rows.append(Row(tuple(cells)))
    return Table(tuple(columns), tuple(rows))


def _figures(layer: Layer, currency: str) -> Table:
    rows = tuple(
        Row((_TITLES.get(name, name.replace("_", " ")), figure_text(name, figure, currency)))
        for name, figure in layer.figures.items()
    )
    return Table((Column("figure"), Column("", is_figure=True)), rows)


def figure_text(name: str, figure: float, currency: str) -> str:
    """A strategy's figure as people read it, by its name."""
    if name in _MONEY:
        return money(to_decimal(figure, 2), currency)
    if name.startswith("volatility"):
        return percent(to_decimal(figure, 6), 2)
    if name.startswith(_PERCENT):
        return rate(to_decimal(figure, 6))
    plain = Decimal(repr(figure))
    return f"{plain:,.0f}" if plain == plain.to_integral_value() else f"{figure:,.4g}"
