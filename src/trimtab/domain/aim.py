"""What the household aims at: the targets in force, and which strategy wants them why."""

import datetime as dt

from msgspec import Struct

from trimtab.domain.numbers import Weight

LOCKED = "locked_since"
"""In the state of a layer that holds everything safe until it is re-armed: since when."""


class Layer(Struct, frozen=True, kw_only=True):
    """What one strategy wants: a weight for every class, why, and what it must remember.

    `figures` are statistics to show beside it, yearly where nothing else is said. `sentences` are
    for the owner. `state` is given back to the strategy the next time. A layer that `insists`
    guards something and has a threshold of its own: what it wants holds at once. `risky_max` is
    the most that is aimed at in risky classes together, however small that makes a move; None for
    no limit. `doubt` is what it lacks for an answer, empty where it has one: its weights are then
    those of before. It `is_faulty` where not the past is to blame: it failed, broke its promise or
    is not there.
    """

    name: str
    targets: dict[str, Weight]
    sentences: tuple[str, ...] = ()
    figures: dict[str, float] = {}
    state: dict[str, str] = {}
    insists: bool = False
    risky_max: Weight | None = None
    doubt: str = ""
    is_faulty: bool = False


class Aim(Struct, frozen=True, kw_only=True):
    """The class targets in force, and what the strategies want at the moment.

    `targets` are what the household trades towards. They stay where they were as long as moving to
    what the last of the `layers` wants is not worth it. `estimated_on` is the day of the last
    estimate, `since` the day on which the targets moved last.
    """

    targets: dict[str, Weight]
    layers: tuple[Layer, ...]
    estimated_on: dt.date
    since: dt.date
    sentence: str = ""

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the strategies themselves, a sentence each."""
        return tuple(" ".join(layer.sentences) for layer in self.layers if layer.is_faulty)

    @property
    def wanted(self) -> dict[str, Weight]:
        """What the last layer wants."""
        return self.layers[-1].targets
