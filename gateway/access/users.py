"""Users: who may log in, or be vouched for, and with which role."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MOST_CHARACTERS = 64
_NAME = re.compile(rf"[^\W_][\w.@-]{{0,{MOST_CHARACTERS - 1}}}")


@dataclass(frozen=True, slots=True)
class User:
    """One entry of the users file.

    password: its Argon2id hash; empty for a user whom only a transport vouches for.
    """

    name: str
    role: str
    password: str = ""
    disabled: bool = False
    comment: str = ""


def prepared(name: str) -> str:
    """Return a name in the one form that is compared: Unicode NFC, upper and lower case kept."""
    return unicodedata.normalize("NFC", name)


def name_flaw(name: str) -> str:
    """Return what a user's name would have to be, or nothing where it is a fit one."""
    if _NAME.fullmatch(name) and prepared(name) == name:
        return ""
    return (
        f"found the name {name[: MOST_CHARACTERS + 1]!r}, allowed: a letter or digit, and then "
        f"letters, digits, . _ @ and -, {MOST_CHARACTERS} in all"
    )
