"""Trying again until it works. Trouble is told once when it begins and once when it ends; it never becomes an error."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import tenacity

log = logging.getLogger(__name__)
_T = TypeVar("_T")
LONGEST_RETRY_AFTER_S: Final = 300.0
"""A server that asks for more is asked again after this."""


class NotNow(Exception):
    """It cannot be stored at present. `needs_a_person`: waiting alone will not help."""

    def __init__(self, reason: str, *, needs_a_person: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.needs_a_person = needs_a_person
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between attempts, in seconds: while it may pass by itself, and while a person must act."""

    first_s: float = 0.5
    longest_s: float = 30.0
    person_first_s: float = 5.0
    person_longest_s: float = 60.0

    def after(self, error: NotNow) -> Callable[[tenacity.RetryCallState], float]:
        """How to wait after *error*: exponential, jittered, capped; a server's own wish comes first."""
        if error.retry_after_s is not None:
            return tenacity.wait_fixed(min(error.retry_after_s, LONGEST_RETRY_AFTER_S))
        first, longest = (
            (self.person_first_s, self.person_longest_s) if error.needs_a_person else (self.first_s, self.longest_s)
        )
        return tenacity.wait_exponential(multiplier=first, max=longest) + tenacity.wait_random(0, first)


class Patience:
    """Repeats an attempt for as long as it takes, and knows what is in the way, by subject."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._troubles: dict[str, str] = {}

    @property
    def trouble(self) -> str | None:
        """What is in the way now; None when nothing is."""
        return " ".join(self._troubles.values()) or None

    async def until_done(self, subject: str, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """The result of *attempt*, repeated while it raises `NotNow`. Cancellation ends the waiting."""
        repeat = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(NotNow),
            wait=self._delay,
            before_sleep=lambda state: self._begins(subject, _error(state)),
        )
        result: _T = await repeat(attempt)
        self._ends(subject)
        return result

    def _delay(self, state: tenacity.RetryCallState) -> float:
        return self._pace.after(_error(state))(state)

    def _begins(self, subject: str, error: NotNow) -> None:
        if self._troubles.get(subject) == str(error):
            return
        self._troubles[subject] = str(error)
        level = logging.ERROR if error.needs_a_person else logging.WARNING
        log.log(level, "%s", error, extra={"action": "history_waiting", "subject": subject})

    def _ends(self, subject: str) -> None:
        if self._troubles.pop(subject, None) is not None:
            log.info("Writing to %s works again", subject, extra={"action": "history_works", "subject": subject})


def _error(state: tenacity.RetryCallState) -> NotNow:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, NotNow)  # nothing else is retried
    return error
