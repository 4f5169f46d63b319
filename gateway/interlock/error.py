"""Why an expression is no interlock."""

from __future__ import annotations

from gateway.model.errors import GatewayError


class InterlockError(GatewayError, ValueError):
    """An expression cannot be read; the sentence says what was found and what is allowed.

    `column` counts characters of the expression, from 1.
    """

    def __init__(self, column: int, sentence: str) -> None:
        super().__init__(f"column {column}: {sentence}")
        self.column = column
        self.sentence = sentence
