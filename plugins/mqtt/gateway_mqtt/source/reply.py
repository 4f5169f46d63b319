"""What devices answer to commands, as statuses of the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import orjson
from pydantic import Field

from gateway import FROM_MQTT, CommandStatus, Settings
from gateway_mqtt.source.path import ABSENT, find, steps
from gateway_mqtt.source.point import Path

MOST_SHOWN = 120
"""Characters of a device's own words that go on record."""


class ReplyWords(Settings):
    """How devices answer commands, at the topics in the column `reply_topic`."""

    id: Annotated[
        Path | None,
        Field(
            description="of the command's id in a JSON reply; null: a reply is of the one command "
            "under way. MQTT 5 correlation data counts before it"
        ),
    ] = "id"
    status: Annotated[
        Path | None,
        Field(description="of the word in a JSON reply; null: the reply is the word"),
    ] = "status"
    detail: Annotated[
        Path | None, Field(description="of a sentence in a JSON reply, for people")
    ] = "detail"
    words: Annotated[
        Mapping[str, CommandStatus],
        Field(
            description="what the device says, and what it means: {accepted: success}; "
            "the gateway's own words need no entry"
        ),
    ] = {}

    def read(self, payload: bytes) -> Reply:
        """Read a reply; ValueError where there is no word in it."""
        if self.status is None and self.id is None:
            return self._reply(None, payload.decode(errors="replace").strip(), None)
        try:
            document = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"the reply is not JSON: {error}") from None
        said = document if self.status is None else find(document, steps(self.status))
        if said is ABSENT or isinstance(said, dict | list):
            raise ValueError(f"the reply has no word at {self.status or '$'}")
        return self._reply(_at(document, self.id), said, _at(document, self.detail))

    def _reply(self, command: Any, said: Any, detail: Any) -> Reply:
        word = said if isinstance(said, str) else orjson.dumps(said).decode()
        status = self.words.get(word) or FROM_MQTT.get(word)
        sentence = detail[:MOST_SHOWN] if isinstance(detail, str) else ""
        if status is None:
            status = CommandStatus.REFUSED
            sentence = f"the device said {word[:MOST_SHOWN]!r} {sentence}".rstrip()
        name = command if isinstance(command, str) else ""
        return Reply(name[:MOST_SHOWN], status, sentence)


class Reply(NamedTuple):
    """One reply; `id` is empty where it does not say which command it answers."""

    id: str
    status: CommandStatus
    detail: str


def _at(document: Any, way: str | None) -> Any:
    return None if way is None else find(document, steps(way))
