"""A gateway in front of a controlled station made of octets, for the tests beside it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from gateway_iec60870.iec104.client import Iec104Client
from octet_station import Station, mirrored, obedient

from gateway.testing import Collector, Running, running


def client(listens: int = 1, model: type[Iec104Client] = Iec104Client, **more: Any) -> Any:
    """Return a link `rtu` to a port of the loopback, that reconnects after a second at most."""
    settings: dict[str, Any] = {
        "name": "rtu",
        "ca": 1,
        "host": f"127.0.0.1:{listens}",
        "interrogation": "never",
        "reconnect": {"min": "1s", "max": "1s"},
    }
    return model.model_validate(settings | more)


@contextlib.asynccontextmanager
async def bench(
    data: Path,
    rows: str,
    station: Station,
    *sinks: Collector,
    model: type[Iec104Client] = Iec104Client,
    **more: Any,
) -> AsyncIterator[Running]:
    """Run both for the length of the block."""
    async with (
        station.running(),
        running([client(station.port, model, **more)], list(sinks), rows, data=data) as gateway,
    ):
        yield gateway


def interrogated(*asdus: bytes) -> Any:
    """A script that answers the general interrogation with these."""

    def script(request: bytes) -> Sequence[bytes]:
        if request[0] == 100 and request[9] == 20:
            return [mirrored(request, 7), *asdus, mirrored(request, 10)]
        return obedient(request)

    return script
