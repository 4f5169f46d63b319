"""`access:`: roles, who names them, and the users file, each mistake at its line and column."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model.access import AccessSettings, CertificateRule, Lockout, Permission, Role

HEAD = """\
gateway: {name: north}
points: points.csv
sources:
  - {name: meter1, type: acme, host: h}
"""
LIST = "name,kind,meter1.index,command.model\nfeeder1.breaker,status,1,latch\nbus.u,analog,2,\n"
PRINT = "ab" * 32


@pytest.fixture
def access(site: Any) -> Any:
    def write(text: str) -> Any:
        site.write({"gateway.yaml": HEAD + text, "points.csv": LIST})
        return site

    return write


def test_settings(access: Any) -> None:
    """Each key arrives in its field; the users file is beside the YAML."""
    site = access(
        "access:\n"
        "  users: users.yaml\n"
        "  roles:\n"
        "    - {name: operator, points: [feeder1.*]}\n"
        '    - {name: shift, may: [read, command], points: ["*", "!_health.*"]}\n'
        "  certificates:\n"
        '    - {subject: "CN=scada1,O=Utility", role: shift}\n'
        f"    - {{fingerprint: {PRINT}, role: admin}}\n"
        "  lockout: {attempts: 3, within: 1min, lasts: 1h}\n"
        "sinks:\n"
        "  - {name: broker, type: acme.broker, role: shift}\n"
    )
    site.write({"users.yaml": "anna: {role: shift}\n"})
    configuration = site.load()

    assert configuration.access == AccessSettings(
        users=site.folder / "users.yaml",
        roles=(
            Role(name="operator", points=("feeder1.*",)),
            Role(
                name="shift",
                may=frozenset({Permission.READ, Permission.COMMAND}),
                points=("*", "!_health.*"),
            ),
        ),
        certificates=(
            CertificateRule(subject="CN=scada1,O=Utility", role="shift"),
            CertificateRule(fingerprint=PRINT, role="admin"),
        ),
        lockout=Lockout(attempts=3, within=60.0, lasts=3600.0),
    )
    assert configuration.sinks[0].role == "shift"


def test_left_out(access: Any) -> None:
    """Without the key there are the built-in roles and no users."""
    site = access("sinks:\n  - {name: broker, type: acme.broker, role: operator}\n")

    assert site.load().access == AccessSettings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "  §user: u.yaml",
            "found the unknown key 'user', allowed: users, roles, certificates, lo",
        ),
        ("  roles: [{name: §Shift, may: []}]", "roles[0].name: found 'Shift', allowed: a name of"),
        ("  roles: [§{name: shift}]", "roles[0]: the role 'shift' needs `may`, a list of read, co"),
        (
            "  roles: [{name: a, may: [§comand]}]",
            "roles[0].may[0]: found 'comand', allowed: read, ",
        ),
        (
            "  roles: [{name: admin}, {name: viewer}, {name: §admin}]",
            "roles[2].name: found the role 'admin' again, first in line 6",
        ),
        (
            "  roles: [{name: admin, points: [feeder1.*, §feder1.*]}]",
            "roles[0].points[1]: found 'feder1.*', which fits no point",
        ),
        (
            "  roles: [{name: admin, points: [§bus.v]}]",
            "roles[0].points[0]: found 'bus.v', but there is no point of this name; did you mean",
        ),
        (
            "  roles: [{name: admin, points: §[]}]",
            'roles[0].points: found an empty list, allowed: names; ["*"] is all points',
        ),
        (
            "  certificates: [{subject: CN=a, role: §opertor}]",
            "certificates[0].role: found the role 'opertor', allowed: viewer, operator, engineer, "
            "admin; did you mean 'operator'?",
        ),
        (
            "  certificates: [§{role: admin}]",
            "certificates[0]: found none of subject, fingerprint, modbus_role, "
            "allowed: one of them",
        ),
        (
            "  certificates: [{subject: §a b, role: admin}]",
            "certificates[0].subject: found 'a b': ",
        ),
        ("  lockout: {lasts: §0s}", "lockout.lasts: found '0s', allowed: a duration above 0ms"),
        ("  users: §nowhere.yaml", "users: the users file cannot be read: No such file or direct"),
        ("  users: §.", "users: the users file cannot be read: Is a directory"),
    ],
)
def test_mistakes(access: Any, text: str, sentence: str) -> None:
    """What is wrong with access is named at its key or value (here behind §)."""
    found = access("access:\n" + text.replace("§", "") + "\n").problems()

    assert len(found) == 1, found
    assert found[0].startswith(f"gateway.yaml:6:{text.index('§') + 1}: {sentence}")


def test_the_role_of_a_sink(access: Any) -> None:
    """A sink's role is one that there is, the gateway's own or one of the file."""
    sinks = "sinks:\n  - {name: broker, type: acme.broker, role: shft}\n"

    assert access(sinks).problems() == [
        "gateway.yaml:6:45: role: found the role 'shft', allowed: viewer, operator, engineer, admin"
    ]
    roles = "access: {roles: [{name: shift, may: [read]}]}\n"
    assert access(sinks + roles).problems() == [
        "gateway.yaml:6:45: role: found the role 'shft', allowed: viewer, operator, engineer, "
        "admin, shift; did you mean 'shift'?"
    ]


def test_a_wrong_access_does_not_make_the_sinks_wrong(access: Any) -> None:
    """Where roles could not be read, the sinks' roles are not held against them."""
    text = (
        "access: {roles: [{name: shift}]}\n"
        "sinks:\n  - {name: broker, type: acme.broker, role: shift}\n"
    )

    assert [one.split(": ")[0] for one in access(text).problems()] == ["gateway.yaml:5:18"]


def test_the_users_file(access: Any) -> None:
    """What is wrong in the users file is told at its own line, behind the problems of the YAML."""
    site = access(
        "access:\n  users: users.yaml\n  roles: [{name: shift, may: [], points: [x]}]\n"
        "  lockout: {}\n"
    )
    site.write({"users.yaml": "# the night\nanna: {role: shift}\nbert: {role: shft}\nc: 5\n"})

    found = site.problems()
    assert [one.split(": ")[0] for one in found] == ["gateway.yaml:7:43", "users.yaml:4:4"]

    site.write({"users.yaml": "anna: {role: shift}\nbert: {role: shft, password: secret}\n"})
    found = site.problems()
    assert [one.split(": ")[0] for one in found] == [
        "gateway.yaml:7:43",
        "users.yaml:2:14",
        "users.yaml:2:30",
    ]
    assert "allowed: viewer, operator, engineer, admin, shift" in found[1]
