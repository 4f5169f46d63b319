"""Addresses of the point list as node ids of a connection: namespaces by URI, browse paths."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import uuid
from collections.abc import Iterable

from asyncua import ua

from gateway_opcua.client.address import Namespace, NodeAddress, PathAddress, parse
from gateway_opcua.client.limits import Limits, chunks, read
from gateway_opcua.client.session import Session, code_name

_ROOT = ua.NodeId(ua.ObjectIds.RootFolder)
_WHOLE = 0xFFFF_FFFF


class Unresolved(Exception):  # noqa: N818 - a node is not there
    """Why an address leads nowhere, as a sentence."""


class Resolver:
    """Finds nodes of one connection: the indices of namespaces may change with the next."""

    def __init__(self, session: Session, limits: Limits) -> None:
        self._session = session
        self._limits = limits
        self._namespaces: list[str] = []
        self._found: dict[str, ua.NodeId] = {}

    async def refresh(self) -> None:
        """Read the server's namespaces; what was found before is looked for anew."""
        array = ua.NodeId(ua.ObjectIds.Server_NamespaceArray)
        (value,) = await read(self._session, [array])
        names = value.Value.Value if value.Value is not None else None
        self._namespaces = [str(name) for name in names or []]
        self._found = {}

    async def resolve(self, texts: Iterable[str]) -> dict[str, ua.NodeId | Unresolved]:
        """Return the node of each address, or why there is none; raises one of `FAILURES`."""
        result: dict[str, ua.NodeId | Unresolved] = {}
        paths: dict[str, ua.RelativePath] = {}
        for text in dict.fromkeys(texts):
            address = parse(text)
            try:
                if text in self._found:
                    result[text] = self._found[text]
                elif isinstance(address, NodeAddress):
                    result[text] = self._node(address)
                else:
                    paths[text] = self._path(address)
            except Unresolved as error:
                result[text] = error
        for group in chunks(list(paths.items()), self._limits.translate):
            request = ua.TranslateBrowsePathsToNodeIdsRequest()
            request.Parameters.BrowsePaths = [
                ua.BrowsePath(StartingNode=_ROOT, RelativePath=path) for _, path in group
            ]
            answer = await self._session.ask(request, ua.TranslateBrowsePathsToNodeIdsResponse)
            for (text, _), one in zip(group, answer.Results, strict=True):
                result[text] = _target(one)
        self._found |= {text: one for text, one in result.items() if isinstance(one, ua.NodeId)}
        return result

    def _index(self, namespace: Namespace) -> int:
        if isinstance(namespace, int):
            return namespace
        try:
            return self._namespaces.index(namespace)
        except ValueError:
            raise Unresolved(
                f"the server has no namespace {namespace}; "
                f"it has {', '.join(self._namespaces) or 'none'}"
            ) from None

    def _node(self, address: NodeAddress) -> ua.NodeId:
        index, identifier = self._index(address.namespace), address.identifier
        kinds = ua.NodeIdType
        if isinstance(identifier, uuid.UUID):
            return ua.NodeId(identifier, index, kinds.Guid)
        if isinstance(identifier, bytes):
            return ua.NodeId(identifier, index, kinds.ByteString)
        return ua.NodeId(identifier, index)

    def _path(self, address: PathAddress) -> ua.RelativePath:
        return ua.RelativePath(
            Elements=[
                ua.RelativePathElement(
                    ReferenceTypeId=ua.NodeId(step.reference),
                    IsInverse=step.inverse,
                    IncludeSubtypes=step.subtypes,
                    TargetName=ua.QualifiedName(step.name, self._index(step.namespace)),
                )
                for step in address.steps
            ]
        )


def _target(result: ua.BrowsePathResult) -> ua.NodeId | Unresolved:
    """Return the one node at the end of a path (OPC 10000-4, 5.9.4)."""
    if not result.StatusCode.is_good():
        return Unresolved(code_name(result.StatusCode.value))
    targets = {
        _local(one.TargetId) for one in result.Targets or [] if one.RemainingPathIndex == _WHOLE
    }
    if len(targets) != 1:
        return Unresolved(f"the path leads to {len(targets)} nodes of this server")
    (found,) = targets
    return found


def _local(target: ua.ExpandedNodeId) -> ua.NodeId:
    return ua.NodeId(target.Identifier, target.NamespaceIndex, target.NodeIdType)
