"""Sessions of clients: who it is that speaks in one, and what it may see."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.common.utils import ServiceError, create_nonce
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_session import InternalSession, SessionState

from gateway import Client

if TYPE_CHECKING:
    from gateway_opcua.server import Core

_VALUE = ua.AttributeIds.Value


class Session(InternalSession):
    """A session that knows its client.

    client:      who it is, once the session is activated.
    channel:     the connection that it belongs to at the moment.
    certificate: DER of the application that made it; empty without security.
    commands:    how many of its commands are under way.
    """

    def __init__(self, core: Core, name: str) -> None:
        super().__init__(
            core, core.aspace, core.subscription_service, name, User(UserRole.Anonymous), True
        )
        self.core = core
        self.client: Client | None = None
        self.channel: object = None
        self.certificate = b""
        self.commands = 0

    @property
    def id(self) -> str:
        """Its name in a `Client`."""
        return str(self.session_id.Identifier)

    @property
    def challenge(self) -> bytes:
        """The nonce that the client's next signatures and passwords must hold."""
        if not self.nonce:
            raise ServiceError(ua.StatusCodes.BadSessionIdInvalid)
        return self.nonce

    @property
    def who(self) -> Client:
        """The client of an activated session."""
        if self.client is None:
            raise ServiceError(ua.StatusCodes.BadSessionNotActivated)
        return self.client

    async def admit(self, client: Client) -> ua.ActivateSessionResult:
        """Activate the session for a client that has been let in, or let it be another's.

        What the client before had selected is free again, and of what it monitored,
        subscriptions end that the new one may not see.
        """
        if self.state is SessionState.Closed:
            raise ServiceError(ua.StatusCodes.BadSessionIdInvalid)
        if self.state is SessionState.Created:
            self.state = SessionState.Activated
            InternalSession._current_connections += 1
        before, self.client = self.client, client
        self.user = User(UserRole.User, client.user or "anonymous")
        self.nonce = create_nonce(32)
        self.touch()
        self._start_timeout_watchdog()
        if before is not None and before != client:
            self.core.access.release(before)
            if (before.user, before.role) != (client.user, client.role):
                await self.core.subscription_service.expel(self.session_id, client)
        return ua.ActivateSessionResult(ServerNonce=self.nonce)

    async def close_session(self, delete_subs: bool = True) -> None:
        closed = self.state is SessionState.Closed
        await super().close_session(delete_subs)
        if self.client is not None and not closed:
            self.core.access.release(self.client)

    async def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        return self.core.attribute_service.read_as(params, self.who)

    async def create_monitored_items(
        self, params: ua.CreateMonitoredItemsParameters
    ) -> list[ua.MonitoredItemCreateResult]:
        access, client = self.core.access, self.who
        hidden = [
            wanted.ItemToMonitor.AttributeId == _VALUE
            and access.hides(client, wanted.ItemToMonitor.NodeId)
            for wanted in params.ItemsToCreate
        ]
        if not any(hidden):
            return await super().create_monitored_items(params)
        seen = [one for one, no in zip(params.ItemsToCreate, hidden, strict=True) if not no]
        made = iter(
            await super().create_monitored_items(dataclasses.replace(params, ItemsToCreate=seen))
        )
        denied: Any = ua.StatusCode(ua.StatusCodes.BadUserAccessDenied)
        return [
            ua.MonitoredItemCreateResult(StatusCode=denied) if no else next(made) for no in hidden
        ]
