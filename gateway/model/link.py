"""The two classes that a plugin is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gateway.model.access import ROLE_NAME
from gateway.model.context import SinkContext, SourceContext
from gateway.model.dissector import Dissector
from gateway.model.fields import Reconnect, Settings
from gateway.model.point import Keep, Kind, LinkPoint, Point, SinkPoint

LINK_NAME = r"[a-z][a-z0-9_-]*"


class Link(BaseModel):
    """What sources and sinks have in common; its fields are its YAML.

    A subclass gives `type` as a Literal, which is the word in the YAML,
    and `Point`, the model of its columns in the point list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[
        str,
        Field(pattern=f"^{LINK_NAME}$", max_length=64, description="unique in the gateway"),
    ]
    type: str
    reconnect: Reconnect = Reconnect()

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """Check what one row alone cannot show: two points at one register, one index twice.

        Called once by `gateway check` and before a start, with the points of this link in the order
        of the point list, each row valid by itself; never connects.
        Yield the point, the field of its address that is wrong (empty: the row), and a sentence
        that says what was found and what is allowed; it is reported at that cell's line and column.
        The ids are those of this call only.
        """
        return ()

    def describe(self, direction: str, frame: bytes) -> str:
        """Say in a line for people what a frame is that this link showed by `ctx.trace`.

        direction: `tx` or `rx`, as it was shown.
        frame:     its octets; of a very long one only the first 65,535.

        For `gateway trace`: called when somebody looks, never while frames pass, with whatever
        went over the wire. Of what it cannot read it says what it can, or returns "" and the octets
        are shown; an error that it raises all the same is taken for "".
        """
        return ""

    def dissector(self) -> Dissector | None:
        """Return what reads the frames of this link in Wireshark; None where nothing does."""
        return None


class Source(Link):
    """A connection that brings samples in.

    `takes_commands`: whether its `run` reads `ctx.commands()`; where it does not,
    `gateway check` refuses rows of its points with columns `command.…`.
    """

    Point: ClassVar[type[Point]] = Point
    takes_commands: ClassVar[bool] = False

    async def run(self, ctx: SourceContext) -> None:
        """Connect, and emit until the connection breaks.

        Called by the host, again after each return or error, with back-off.
        Raise to say why it broke (LinkError for a sentence without a traceback).
        Being cancelled means stop.
        Keep what belongs to the connection in local variables: nothing stale survives a reconnect.
        """
        raise NotImplementedError


class KeepRule(Settings):
    """What a sink must have of each kind of point."""

    analog: Keep = Keep.EVERY
    status: Keep = Keep.EVERY
    double: Keep = Keep.EVERY
    counter: Keep = Keep.EVERY

    def of(self, kind: Kind) -> Keep:
        rule: Keep = getattr(self, kind.value)
        return rule

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"enum": [keep.value for keep in Keep]}, handler(schema)]}

    @classmethod
    def all(cls, keep: Keep) -> KeepRule:
        return cls(analog=keep, status=keep, double=keep, counter=keep)


class Sink(Link):
    """A connection that takes samples out.

    `by_name`: whether a point without columns for this sink reaches it all the same.
    `portion`: most samples that are put together into one delivery, which is acknowledged as a
    whole: a crash before that repeats all of it.
    `image_first`: whether each connection begins with the image, so that what waited for it is
    history even after a short break, and stays in order with older history.
    """

    Point: ClassVar[type[SinkPoint]] = SinkPoint
    by_name: ClassVar[bool] = True
    portion: ClassVar[int] = 20_000
    image_first: ClassVar[bool] = False

    select: Annotated[
        tuple[str, ...],
        Field(description="names of the points it takes, with * and ?; a leading ! leaves out"),
    ] = ("*",)
    keep: Annotated[
        KeepRule,
        Field(description="every or latest, for all points or by kind"),
    ] = KeepRule()
    live_first: Annotated[
        bool,
        Field(description="after an outage live samples go first and history drains beside them"),
    ] = True
    history_rate: Annotated[
        int,
        Field(gt=0, description="samples per second at which history drains beside live ones"),
    ] = 20_000
    window: Annotated[
        int,
        Field(gt=0, description="most samples handed out and not yet acknowledged"),
    ] = 200_000

    @field_validator("keep", mode="before")
    @classmethod
    def _keep_word(cls, value: object) -> object:
        return KeepRule.all(Keep(value)) if value in ("every", "latest") else value

    def profile(self, points: Sequence[LinkPoint]) -> str | None:
        """Return what this device can and has, as Markdown: what `gateway profile` prints.

        For protocols whose users exchange such a document, such as the DNP3 device profile.
        Called with the points that the sink takes, as `check_points` is, and never connects;
        None where the protocol knows no such document.
        """
        return None

    role: Annotated[
        str | None,
        Field(
            pattern=f"^{ROLE_NAME}$",
            description="role of clients that nobody vouches for; without it they may read only",
        ),
    ] = None

    async def run(self, ctx: SinkContext) -> None:
        """Connect, hand on `ctx.batches()`, and say `ctx.delivered(seq)` as the consumer has it.

        Called by the host under the same rules as `Source.run`.
        """
        raise NotImplementedError
