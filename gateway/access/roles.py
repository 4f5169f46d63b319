"""Roles: which permissions they have, for which points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.model.access import BUILT_IN, Permission, Role
from gateway.model.selector import selector

OF_NO_POINT = frozenset({Permission.AUDIT, Permission.CONFIGURE})
"""Permissions that are about the gateway itself."""


@dataclass(frozen=True, slots=True)
class _Right:
    permissions: frozenset[Permission]
    points: bytes
    any_point: bool


class Roles:
    """The rights of every role, worked out once: a byte for each point id.

    names: of the points by id; an empty name is no point.
    """

    def __init__(self, roles: Iterable[Role], names: Sequence[str]) -> None:
        own = {role.name: role for role in roles}
        self._rights = {
            name: _right(own[name].permissions, own[name].points, names)
            if name in own
            else _right(BUILT_IN[name], ("*",), names)
            for name in {**BUILT_IN, **own}
        }
        self._nobody = _right(frozenset({Permission.READ}), ("*",), names)

    @property
    def names(self) -> tuple[str, ...]:
        """Every role that there is, the built-in ones first."""
        return tuple(self._rights)

    def may(self, role: str, permission: Permission, point: int | None) -> bool:
        """Return whether a role may do this to a point; with None, to any point at all.

        The empty role reads every point, and no more; a role that is not there may nothing.
        """
        right = self._rights.get(role) if role else self._nobody
        if right is None or permission not in right.permissions:
            return False
        if point is None:
            return right.any_point or permission in OF_NO_POINT
        return 0 <= point < len(right.points) and right.points[point] == 1

    def points(self, role: str, permission: Permission) -> bytes:
        """Return a byte for each point id: 1 where a role may do this to it."""
        right = self._rights.get(role) if role else self._nobody
        if right is None or permission not in right.permissions:
            return bytes(len(self._nobody.points))
        return right.points


def _right(
    permissions: frozenset[Permission], patterns: tuple[str, ...], names: Sequence[str]
) -> _Right:
    fits = selector(patterns)
    points = bytes(1 if name and fits(name) else 0 for name in names)
    return _Right(permissions, points, 1 in points)
