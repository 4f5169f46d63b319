"""The sink `iec101.slave`: the gateway as a controlled station on a serial line."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import Dissector, Duration, LinkError, SinkContext
from gateway.channel import ChannelClosed
from gateway_iec60870.asdu import describe as describe_asdu
from gateway_iec60870.controlled import Controlled, ControlledLink, Manners
from gateway_iec60870.ft12 import BalancedSettings, SecondarySettings, describe
from gateway_iec60870.iec101.drop import QUEUE, Drop
from gateway_iec60870.iec101.line_fields import READ_AT, LineFields
from gateway_iec60870.iec101.place import PlaceTaken, place

if TYPE_CHECKING:
    from gateway_iec60870.controlled.sheet import LowerLayers

MOST_LENGTH = 255
"""What the length octet L can say: of control field, link address and ASDU."""

FAREWELL = 3.0
"""Seconds in which the confirmation of a restart is asked for."""


class Iec101Slave(LineFields, ControlledLink):
    """One station on a line; several at one place, each with its link address, share it."""

    type: Literal["iec101.slave"] = "iec101.slave"
    cause_octets: Annotated[
        Literal[1, 2], Field(description="octets of the cause of transmission")
    ] = 1
    ca_octets: Annotated[Literal[1, 2], Field(description="octets of the common address")] = 1
    ioa_octets: Annotated[
        Literal[1, 2, 3], Field(description="octets of the information object address")
    ] = 2
    max_length: Annotated[
        int,
        Field(
            ge=48,
            le=MOST_LENGTH,
            description="the largest length L of a frame that the gateway sends",
        ),
    ] = MOST_LENGTH
    class_1_for_2: Annotated[
        bool,
        Field(
            description="unbalanced: answer a request for class 2 data with class 1 data where "
            "there is no other"
        ),
    ] = False
    silence: Annotated[
        Duration | Literal["never"],
        Field(description="within which the control centre asks: else it is said, and TCP closed"),
    ] = 60.0

    @classmethod
    def only(cls) -> dict[str, tuple[str, str]]:
        """See `LineFields.only`."""
        return {"class_1_for_2": ("mode", "unbalanced")}

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        if self.silence != "never" and not self.silence > 0:
            raise ValueError("silence 0s: give a time, or never")
        if self.link_octets and self.link is None and self.ca is None:
            raise ValueError("no link address: name link, or ca")
        _ = self.own_link
        return self

    @property
    def longest(self) -> int:
        """See `ControlledLink.longest`."""
        return self.longest_asdu - (MOST_LENGTH - self.max_length)

    @property
    def manners(self) -> Manners:
        """See `ControlledLink.manners`."""
        return replace(super().manners, farewell=FAREWELL)

    @property
    def own_link(self) -> int:
        """The link address of the station; 0 where the line has none."""
        if not self.link_octets:
            return 0
        return self._default_link(self.ca or 0) if self.link is None else self.link

    @property
    def association(self) -> SecondarySettings | BalancedSettings:
        """How the link layer deals with the control centre."""
        if self.balanced:
            return BalancedSettings(
                controlling=False,
                local=self.own_link,
                remote=self.master_link,
                octets=self.link_octets,
                timeout=self.link_timeout,
                retries=self.link_retries,
                queue=QUEUE,
                test=self.link_test,
                single=self.single_character,
            )
        return SecondarySettings(
            address=self.own_link,
            octets=self.link_octets,
            single=self.single_character,
            class_1_for_2=self.class_1_for_2,
            silence=self.longest_silence,
            queue=QUEUE,
        )

    @property
    def longest_silence(self) -> float | None:
        """Seconds within which the control centre asks; None for any time."""
        return None if isinstance(self.silence, str) else self.silence

    @property
    def terms(self) -> tuple[object, ...]:
        """What all who share the line must agree on."""
        serial = self.baud, self.parity, self.stop_bits, self.rs485, self.turnaround
        link = self.mode, self.link_octets, self.idle, self.silence
        return self.transport, self.listen, self.allow, serial, link

    def lower_layers(self) -> LowerLayers:
        """See `ControlledLink.lower_layers`."""
        from gateway_iec60870.iec101.lower_layers import lower_layers

        return lower_layers(self)

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        return describe(frame, self.link_octets, partial(describe_asdu, sizes=self.sizes))

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("iec60870_101", port=READ_AT, table="tcp.port", serves=True)

    async def run(self, ctx: SinkContext) -> None:
        """Serve the control centre until cancelled; raises LinkError where there is no line."""
        controlled = Controlled(ctx, self.manners)
        drop = Drop(self, ctx, controlled)
        try:
            async with place(self, drop) as here:
                drop.here = here
                ctx.up(here.where.result())
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(controlled.run())
                    tasks.create_task(drop.count())
                    tasks.create_task(here.ended())
        except* (PlaceTaken, ChannelClosed, LinkError) as errors:
            raise LinkError(str(_first(errors))) from None
        finally:
            drop.look()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
