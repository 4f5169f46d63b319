"""Whether the primary host application is there, from its STATE messages."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError


class _State(BaseModel):
    # Strict, because `online: "false"` must not count as true.
    online: Annotated[bool, Field(strict=True)]
    timestamp: Annotated[int, Field(strict=True, ge=0)]


class PrimaryHost:
    """What one connection knows of it; without a clock of its own.

    The broker keeps the last STATE, so that a connection begins with it.
    """

    def __init__(self) -> None:
        self.online = False
        self._timestamp = -1

    def hear(self, payload: bytes) -> bool:
        """Take a STATE message (clauses 4.2.3.1, 5.4); false where it is older than the last one.

        Raises ValueError where it cannot be read.
        """
        try:
            state = _State.model_validate_json(payload)
        except ValidationError as error:
            what = error.errors()[0]
            where = ".".join(map(str, what["loc"])) or "the message"
            raise ValueError(
                f"{where}: {what['msg']}; allowed is "
                '{"online": true or false, "timestamp": ms since 1970}'
            ) from None
        if state.timestamp < self._timestamp:
            return False
        self._timestamp = state.timestamp
        self.online = state.online
        return True
