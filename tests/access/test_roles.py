"""Roles: what each may, against a plain evaluation of the configuration."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.access.roles import Roles
from gateway.model.access import BUILT_IN, Permission, Role

# docs/access.md, the table of roles.
TABLE = {
    "viewer": "read",
    "operator": "read command override",
    "engineer": "read command override test audit",
    "admin": "read command override test audit configure",
}


@pytest.mark.parametrize("role", TABLE)
@pytest.mark.parametrize("permission", list(Permission))
def test_built_in_roles(role: str, permission: Permission) -> None:
    """The built-in roles may what the table of the documentation says, for all points."""
    roles = Roles((), ["a", ""])
    expected = permission.value in TABLE[role].split()

    assert roles.may(role, permission, 0) is expected
    assert roles.may(role, permission, None) is expected
    assert not roles.may(role, permission, 1)


def test_who_has_no_role_reads() -> None:
    """Without a role every point is read, as without any `access:`, and nothing else is done."""
    roles = Roles((), ["a"])

    assert [one for one in Permission if roles.may("", one, 0)] == [Permission.READ]
    assert [one for one in Permission if roles.may("", one, None)] == [Permission.READ]


def test_built_in_role_narrowed() -> None:
    """A built-in role with points keeps its permissions, for these alone."""
    roles = Roles([Role(name="operator", points=("bay1.*", "!*.earth"))], ["bay1.q", "bay1.earth"])

    assert roles.may("operator", Permission.COMMAND, 0)
    assert not roles.may("operator", Permission.COMMAND, 1)
    assert roles.names == ("viewer", "operator", "engineer", "admin")


def test_permissions_about_the_gateway_need_no_point() -> None:
    """Reading the audit log and configuring are not about points; commanding is."""
    roles = Roles([Role(name="auditor", may=frozenset(Permission), points=("none.*",))], ["a"])

    assert [one.value for one in Permission if roles.may("auditor", one, None)] == [
        "audit", "configure",
    ]  # fmt: skip


@pytest.mark.parametrize("point", [-1, 2, 10**9, -(10**9)])
def test_point_that_is_not_there(point: int) -> None:
    """An id outside the table is nobody's."""
    assert not Roles((), ["a", "b"]).may("admin", Permission.READ, point)
    assert not Roles((), ["a", "b"]).may("", Permission.READ, point)


def test_role_that_is_not_there() -> None:
    """A role that the configuration does not know may nothing, not even read."""
    assert not any(Roles((), ["a"]).may("boss", one, 0) for one in Permission)


def test_own_role_says_what_it_may() -> None:
    """A role of one's own without permissions is a mistake, and not one without rights."""
    with pytest.raises(ValidationError, match="the role 'bay1' needs `may`, a list of read, comm"):
        Role(name="bay1")


NAMES = st.lists(st.sampled_from(["", "a", "a.b", "a.b.c", "b", "b.a", "ab", "c*"]), max_size=8)
PATTERN = st.text("ab.*?", min_size=1, max_size=4)
PATTERNS = st.lists(st.one_of(PATTERN, PATTERN.map("!".__add__)), min_size=1, max_size=3)
ROLES = st.lists(
    st.builds(
        Role,
        name=st.sampled_from(["viewer", "operator", "own", "other"]),
        may=st.frozensets(st.sampled_from(Permission)),
        points=PATTERNS.map(tuple),
    ),
    max_size=3,
    unique_by=lambda role: role.name,
)


@given(ROLES, NAMES, st.sampled_from(["viewer", "admin", "own", ""]), st.sampled_from(Permission))
def test_may_is_what_the_configuration_says(
    own: list[Role], names: list[str], role: str, permission: Permission
) -> None:
    """For any roles and points: as looking at the patterns one by one, with Python's fnmatch."""
    roles = Roles(own, names)

    def plainly(name: str) -> bool:
        if not name:
            return False
        if not role:
            return permission is Permission.READ
        for one in own:
            if one.name == role:
                wanted = [p for p in one.points if p[0] != "!"]
                unwanted = [p[1:] for p in one.points if p[0] == "!"]
                inside = not wanted or any(fnmatchcase(name, p) for p in wanted)
                outside = any(fnmatchcase(name, p) for p in unwanted)
                return permission in (one.may or ()) and inside and not outside
        return permission in BUILT_IN.get(role, ())

    wanted = [plainly(name) for name in names]
    assert [roles.may(role, permission, point) for point in range(len(names))] == wanted
    assert [bool(one) for one in roles.points(role, permission)] == wanted
