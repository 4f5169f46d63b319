"""Argon2id hashes: the reference implementation's, other implementations', and ours."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access.password import (
    hash_flaw,
    hash_password,
    outdated,
    password_flaw,
    verified,
)

# The hashes of phc-winner-argon2 20190702, src/test.c, hashtest(0x13, 2, 16, 1, …, Argon2_id).
REFERENCE = {
    "password": "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
    "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "differentpassword": "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
    "C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
}
SALT, KEY = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"


@pytest.mark.parametrize("password", REFERENCE)
def test_reference_hashes_are_verified(password: str) -> None:
    """The reference implementation's hashes fit their own passwords, and no other."""
    assert [verified(one, password) for one in REFERENCE.values()] == [
        other == password for other in REFERENCE
    ]


@pytest.mark.parametrize("password", ["correct horse battery", "пароль-подстанции", "x" * 1024])
def test_another_implementation_reads_our_hashes(password: str) -> None:
    """OpenSSL's Argon2id, through cryptography, verifies what the gateway hashed."""
    Argon2id.verify_phc_encoded(password.encode(), hash_password(password))


def test_every_hash_has_its_own_salt() -> None:
    """The same password gives two hashes, and both fit it."""
    first, second = hash_password("correct horse"), hash_password("correct horse")

    assert first != second
    assert verified(first, "correct horse")
    assert verified(second, "correct horse")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9 noir 12", "cafe\u0301 noir 12"),  # RFC 8265, 4.2.2: NFC
        ("correct\u00a0horse", "correct horse"),  # RFC 8265, 4.2.2: spaces become U+0020
    ],
)
def test_keyboards_differ_and_passwords_do_not(one: str, other: str) -> None:
    """Two ways to type the same characters are one password."""
    assert verified(hash_password(one), other)


def test_upper_case_counts() -> None:
    """Letters are not folded: RFC 8265, 4.2.2, keeps their case."""
    assert not verified(hash_password("Correct horse"), "correct horse")


@pytest.mark.parametrize("password", ["", "\ud800", "\x00" * 9, "ﬁ" * 600])
def test_strange_passwords_are_wrong_passwords(password: str) -> None:
    """What no keyboard types is refused as any wrong password is."""
    assert not verified(REFERENCE["password"], password)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (REFERENCE["password"], ""),
        (f"$argon2id$v=19$m=7168,t=5,p=1${SALT}${KEY}", ""),
        ("hunter2", "no Argon2id hash"),
        (f"$argon2i$v=19$m=65536,t=2,p=1${SALT}${KEY}", "no Argon2id hash"),
        (f"$argon2id$v=16$m=65536,t=2,p=1${SALT}${KEY}", "no Argon2id hash"),
        (f"$argon2id$v=19$m=65536,t=2,p=1${SALT}", "no Argon2id hash"),
        (f"$argon2id$v=19$m=65536,t=2,p=1${SALT}AA${KEY}", "no Argon2id hash"),
        (f"$argon2id$v=19$m=1048576,t=2,p=1${SALT}${KEY}", "m=1048576"),
        (f"$argon2id$v=19$m=256,t=2,p=1${SALT}${KEY}", "m=256"),
        (f"$argon2id$v=19$m=65536,t=999,p=1${SALT}${KEY}", "t=999"),
        (f"$argon2id$v=19$m=65536,t=0,p=1${SALT}${KEY}", "t=0"),
        (f"$argon2id$v=19$m=65536,t=2,p=99${SALT}${KEY}", "p=99"),
        (f"$argon2id$v=19$m=65536,t=2,p=1${SALT}${KEY}\n", "no Argon2id hash"),
    ],
)
def test_hashes_are_looked_at_before_they_are_used(text: str, found: str) -> None:
    """A hash of another kind, or one that would take the box's memory, is named as such."""
    flaw = hash_flaw(text)

    assert bool(flaw) == bool(found)
    assert found in flaw


def test_the_flaw_does_not_repeat_a_password() -> None:
    """Who wrote the password itself into the file does not find it in the log."""
    assert "hunter2" not in hash_flaw("hunter2")


def test_weak_hashes_are_known() -> None:
    """A hash with less work than the gateway's own is told apart."""
    assert outdated(f"$argon2id$v=19$m=19456,t=2,p=1${SALT}${KEY}")
    assert not outdated(hash_password("correct horse"))


@pytest.mark.parametrize(
    ("password", "found"),
    [
        ("correct horse", ""),
        ("anna and the moon", ""),
        ("nine chars"[:9], "9 characters"),
        ("ANNA123456", "the user's name"),
        ("abababababab", "repeats itself"),
        ("correct\nhorse", "control characters"),
        ("correct horse \ud800", "control characters"),
        ("long" + "er and " * 200, "too long"),
    ],
)
def test_weak_passwords_are_refused(password: str, found: str) -> None:
    """A new password is long enough, not the name, and no one key held down."""
    flaw = password_flaw(password, "anna")

    assert bool(flaw) == bool(found)
    assert found in flaw


SCRAPS = ["$", "argon2id", "argon2i", "v=19", "v=16", "m=7168,t=1,p=1", "m=8,t=1,p=1", "p=0", ","]
SCRAPS += [SALT, KEY, "", "=", "A", "\x00", "é", "m=7168", "t=1", "p=8"]
LIKELY = st.lists(st.sampled_from(SCRAPS), max_size=12).map("".join)
WHOLE = st.builds(
    "$argon2id$v=19$m=7168,t=1,p={}${}${}".format,
    st.integers(0, 9),
    st.text("ABCDwxyz0189+/", min_size=9, max_size=90),
    st.text("ABCDwxyz0189+/", min_size=20, max_size=90),
)


@given(st.one_of(LIKELY, WHOLE))
@settings(deadline=None)
def test_what_passes_as_a_hash_can_be_tried(text: str) -> None:
    """A text without a flaw can be held against a password, and never ends in an error."""
    if not hash_flaw(text):
        assert verified(text, "correct horse") in (True, False)


RESIDENT = """\
from pathlib import Path
from threading import Thread
from gateway.access.password import hash_password
def resident():
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096
hash_password("correct horse")
before = resident()
for _ in range(3):
    thread = Thread(target=hash_password, args=["correct horse"])
    thread.start()
    thread.join()
print(before, resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's malloc")
def test_memory_of_a_hash_is_given_back() -> None:
    """After log-ins the process has no more memory than before: none of the hash's 33 MiB."""
    command = [sys.executable, "-c", RESIDENT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    first, last = map(int, done.stdout.split())

    # The interpreter with numpy and pydantic has some 50 MB; a hash that stays would be 34 more.
    assert first < 80e6
    assert last - first < 8e6
