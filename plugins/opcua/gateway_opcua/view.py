"""Browse and BrowseNext (OPC 10000-4, 5.9), in answers that do not hold up the gateway."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace, ViewService

MOST_REFERENCES = 1_000
"""References in one answer: about 40 ms of the event loop; the rest comes by BrowseNext."""
MOST_POINTS = 100
"""Continuation points that are kept; the oldest goes first."""

_HAS_SUBTYPE = ua.NodeId(ua.ObjectIds.HasSubtype)


class Views(ViewService):
    """Looks at a reference's type once for a request, and keeps long answers for BrowseNext."""

    def __init__(self, aspace: AddressSpace) -> None:
        super().__init__(aspace)
        self._rest: OrderedDict[bytes, tuple[list[Any], int]] = OrderedDict()

    def browse(self, params: ua.BrowseParameters) -> list[ua.BrowseResult]:
        most = int(params.RequestedMaxReferencesPerNode) or MOST_REFERENCES
        return [
            self._part(found, min(most, MOST_REFERENCES))
            if (found := self._found(wanted)) is not None
            else _failed(ua.StatusCodes.BadNodeIdUnknown)
            for wanted in params.NodesToBrowse
        ]

    def browse_next(self, params: Any) -> list[ua.BrowseResult]:
        """Return the next part of each answer, or forget it where the client says so."""
        results = []
        for point in params.ContinuationPoints or []:
            rest = self._rest.pop(point, None)
            if rest is None:
                results.append(_failed(ua.StatusCodes.BadContinuationPointInvalid))
            elif params.ReleaseContinuationPoints:
                results.append(ua.BrowseResult())
            else:
                results.append(self._part(*rest))
        return results

    def _found(self, wanted: Any) -> list[Any] | None:
        node = self._aspace.get(wanted.NodeId)
        if node is None:
            return None
        references = node.references
        if not wanted.ReferenceTypeId.is_null():
            types = {wanted.ReferenceTypeId}
            if wanted.IncludeSubtypes:
                self._add_subtypes(wanted.ReferenceTypeId, types)
            references = [one for one in references if one.ReferenceTypeId in types]
        if wanted.BrowseDirection != ua.BrowseDirection.Both:
            forward = wanted.BrowseDirection == ua.BrowseDirection.Forward
            references = [one for one in references if one.IsForward == forward]
        if wanted.NodeClassMask:
            mask = wanted.NodeClassMask
            references = [one for one in references if one.NodeClass & mask]
        return references

    def _add_subtypes(self, above: ua.NodeId, types: set[ua.NodeId]) -> None:
        node = self._aspace.get(above)
        for one in node.references if node is not None else ():
            if one.IsForward and one.ReferenceTypeId == _HAS_SUBTYPE and one.NodeId not in types:
                types.add(one.NodeId)
                self._add_subtypes(one.NodeId, types)

    def _part(self, found: list[Any], most: int) -> ua.BrowseResult:
        result = ua.BrowseResult(References=found[:most])
        if len(found) > most:
            point = result.ContinuationPoint = secrets.token_bytes(16)
            self._rest[point] = (found[most:], most)
            while len(self._rest) > MOST_POINTS:
                self._rest.popitem(last=False)
        return result


def _failed(code: int) -> ua.BrowseResult:
    return ua.BrowseResult(StatusCode=ua.StatusCode(code))
