"""Clocks: the system's, which a signal can wake, and one that is moved by hand for replays."""

import datetime as dt
import signal
import threading
from types import FrameType


class SystemClock:
    """The computer's time. `sleep` returns early once somebody asked to stop."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self.stopped_by = ""

    def now(self) -> dt.datetime:
        """The present instant, UTC."""
        return dt.datetime.now(dt.UTC)

    def sleep(self, seconds: float) -> None:
        """Wait *seconds*, or until a stop is asked for."""
        if seconds > 0:
            self._stop.wait(seconds)

    @property
    def is_stopping(self) -> bool:
        """Whether a stop has been asked for."""
        return self._stop.is_set()

    def stop(self, why: str) -> None:
        """Ask for a stop; the first reason given is kept."""
        self.stopped_by = self.stopped_by or why
        self._stop.set()

    def heed_signals(self) -> None:
        """From now on SIGTERM and SIGINT ask for a stop after the order in hand."""

        def on_signal(number: int, _frame: FrameType | None) -> None:
            self.stop(signal.Signals(number).name)

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)


class ManualClock:
    """Stands where it is put; sleeping moves it on. Replays live by it."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def now(self) -> dt.datetime:
        """Where the clock stands, UTC."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Move on by *seconds* at once."""
        self.at += dt.timedelta(seconds=seconds)
