"""What a household aims at and why, as a page and as a document."""

from decimal import Decimal

from trimtab.apps.aiming import Aiming
from trimtab.apps.views.figures import digits, offset, rate, typed
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.targets_documents import (
    ClassTargetDocument,
    LayerDocument,
    TargetsDocument,
)
from trimtab.domain.aim import Aim, Layer
from trimtab.domain.numbers import Weight, to_decimal
from trimtab.rules.words import instant, money, percent

_PERCENT = ("tracking_error", "return_of", "shrinkage")
_MONEY = frozenset({"floor", "cushion", "exposure"})
_PERIODS = {
    "day": "every day",
    "week": "once a week",
    "month": "once a month",
    "quarter": "once a quarter",
    "year": "once a year",
}
_TITLES = {
    "volatility_in_sample": "volatility a year, as fitted (too low)",
    "volatility_to_expect": "volatility a year to expect",
    "tracking_error": "distance from the mix without it, a year",
    "observations": "sessions seen",
    "shrinkage": "drawn towards the simple model by",
    "cushion": "savings above the floor",
    "exposure": "in risky classes",
}


def verdict(aiming: Aiming) -> str:
    """What holds, in one sentence."""
    if aiming.memory.breaker is not None and aiming.policy.defensive.posture == "targets":
        if aiming.in_force == aiming.policy.defensive.targets:
            return "The defensive posture holds: its targets are in force, whatever else is wanted."
        return (
            "The defensive posture holds; what is aimed at risks less than its targets, and stays "
            "in force."
        )
    aim = aiming.aim
    if aim is not None:
        return aim.sentence
    if aiming.policy.strategy.layers:
        return "The strategy was never asked: no turn has run, and a price is missing now."
    if aiming.policy.glide.points:
        return "The household glides from target to target by date."
    return "The household holds its own targets; no strategy changes them."


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
        layers=tuple(_layer_document(layer) for layer in (aim.layers if aim else ())),
    )


def _layer_document(layer: Layer) -> LayerDocument:
    return LayerDocument(
        name=layer.name,
        targets={name: digits(weight) for name, weight in layer.targets.items()},
        sentences=layer.sentences,
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
    if memory.proposed is not None:
        when = instant(memory.proposed.effective_at)
        text = f"An edited policy waits until {when}: {typed('policy', folder)}. Not shown here."
        facts.append((text, "warn"))
    return facts


def _dates(aiming: Aiming, aim: Aim, folder: str) -> list[str]:
    known = aiming.memory.aim
    if known is None:
        held = "No turn has run with this strategy, so the household's own targets are in force."
    else:
        held = f"In force since {known.since}."
    estimated = (
        f"Estimated on {aim.estimated_on}, {_PERIODS[aiming.policy.strategy.every]}; again from "
        f"{aiming.next_estimate} on."
    )
    facts = [held, estimated]
    if _moves(aiming):
        facts.append(f"The next turn puts the new targets in force: {typed('run', folder)}.")
    return facts


def _moves(aiming: Aiming) -> bool:
    """Whether a turn now would move the targets."""
    return aiming.look is not None and aiming.look.targets != aiming.in_force


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
