"""Card rules: what a card cannot have done, and what no household does. Each only asks for an explanation.

`judge` is the shell; the rules below it are pure. They cost more than the path rules and may wait: `EVERY_MS` says how
long. A card's pseudonym is a subject, and never part of any evidence.
"""

from cloud.alerts.cards.judging import EVERY_MS, judge

__all__ = ["EVERY_MS", "judge"]
