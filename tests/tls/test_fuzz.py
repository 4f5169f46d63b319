"""Files that are anything: a sentence that names one, or a context, and never another error."""

from __future__ import annotations

import base64
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_partner import client_settings

from gateway import LinkError
from gateway.testing.authority import Authority
from gateway.tls.build import build
from gateway.tls.expiry import papers

FILES = {"ca": "ca.pem", "certificate": "client.pem", "key": "client.key", "crl": "crl.pem"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Good files."""
    with tempfile.TemporaryDirectory() as name:
        authority = Authority(Path(name))
        authority.issue("client")
        authority.revoke()
        yield Path(name)


@settings(max_examples=400, deadline=None)
@given(
    field=st.sampled_from(sorted(FILES)),
    changes=st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6
    ),
    cut=st.integers(0, 10_000),
    armour=st.booleans(),
)
def test_a_broken_file_is_a_sentence_or_is_taken(
    folder: Path, field: str, changes: list[tuple[int, int]], cut: int, armour: bool
) -> None:
    """Whatever bytes change in the DER, or in the PEM around it, nothing but LinkError is raised,
    and what cannot be parsed spoils no other's expiry.
    """
    lines = (folder / FILES[field]).read_bytes().splitlines()
    data = bytearray(base64.b64decode(b"".join(lines[1:-1])) if armour else b"\n".join(lines))
    for place, value in changes:
        data[place % len(data)] = value
    del data[max(1, cut) :]
    if armour:
        data = bytearray(b"\n".join((lines[0], base64.b64encode(data), lines[-1], b"")))
    file = folder / "broken.pem"
    file.write_bytes(data)
    chosen = {"crl": folder / "crl.pem", field: file}
    with contextlib.suppress(LinkError):
        mine = client_settings(folder, **chosen)
        found = papers(mine)
        assert len(found.expiries) >= 2 or field != "key"
        build(mine, found)


def test_the_good_files_are_good(folder: Path) -> None:
    """What the fuzz begins with is taken."""
    copy = folder / "copy.pem"
    shutil.copy(folder / "ca.pem", copy)
    mine = client_settings(folder, ca=copy, crl=folder / "crl.pem")
    assert len(papers(mine).expiries) == 3
    build(mine, papers(mine))
