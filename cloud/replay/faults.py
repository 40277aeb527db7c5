"""Why a replay directory is refused: one sentence that says which file, which line, which column, and what is wrong."""

from __future__ import annotations

from pydantic import ValidationError


class BadReplay(ValueError):
    """The directory cannot be replayed. *line* 0 is the file as a whole, *column* "" the whole line."""

    def __init__(self, file: str, reason: str, *, line: int = 0, column: str = "") -> None:
        place = f"{file}, line {line}" if line else file
        super().__init__(f"{place}, {column}: {reason}" if column else f"{place}: {reason}")
        self.file, self.line, self.column, self.reason = file, line, column, reason


def first(error: ValidationError) -> tuple[str, str]:
    """The column and the reason of the first fault that pydantic found."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    column = str(fault["loc"][-1]) if fault["loc"] else ""
    reason = fault["msg"].removeprefix("Value error, ")
    return column, _WORDS.get(fault["type"], reason[:1].lower() + reason[1:])


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "does not belong here",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "bool_type": "should be true or false",
    "string_type": "should be a text in quotes",
}
