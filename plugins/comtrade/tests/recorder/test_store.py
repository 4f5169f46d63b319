"""The folder of a recorder: names, order of writing, bounds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gateway_comtrade.codec import Sections
from gateway_comtrade.recorder.store import Store, word

NOON = 1_767_268_800 * 10**9
"""2026-01-01 12:00 UTC."""
SECTIONS = Sections(cfg=b"cfg" * 10, dat=b"dat" * 10, hdr=b"hdr" * 10)


def store(folder: Path, most: int = 10, most_bytes: int = 10**6) -> Store:
    one = Store(folder, "North 1", "Bay/2", "", most, most_bytes)
    one.prepare()
    return one


def test_names(tmp_path: Path) -> None:
    """Date, time with milliseconds, time code, station, device, company, trigger; a name that is
    there gets a number."""
    one = store(tmp_path)
    name = one.name(NOON + 5_678_900_000, "trip")
    assert name == "260101,120005678,0,North_1,Bay_2,,trip"
    one.save(name, SECTIONS)
    assert one.name(NOON + 5_678_000_000, "trip") == f"{name},2"


@pytest.mark.parametrize("text", ["../../etc", "a,b", "x\x00y", "CON:", "a b", '"q"'])
def test_no_name_leaves_the_folder(text: str) -> None:
    """What a file system or C37.232 does not take becomes a line."""
    assert not set(word(text)) & set('?"/\\<>*|:;[]$%{}, \x00')


def test_the_cfg_is_seen_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is on disk under other names before any gets its own."""
    steps: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def synced(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        steps.append(f"sync {'folder' if path == tmp_path else path.suffixes[-2]}")
        fsync(handle)

    def renamed(part: Path, to: Path) -> Path:
        steps.append(f"name {to.suffix}")
        return rename(part, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    store(tmp_path).save("x", SECTIONS)
    assert steps == [
        *("sync .dat", "sync .hdr", "sync .cfg"),
        *("name .dat", "name .hdr", "name .cfg", "sync folder"),
    ]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "x.dat": b"dat" * 10,
        "x.hdr": b"hdr" * 10,
        "x.cfg": b"cfg" * 10,
    }


def test_bytes_are_bounded(tmp_path: Path) -> None:
    """90 bytes each: of four, 300 bytes hold three; the newest stays though it is too long."""
    one = store(tmp_path, most_bytes=300)
    names = [one.name(NOON + n * 10**9, "t") for n in range(4)]
    for name in names:
        one.save(name, SECTIONS)
    assert one.shed() == names[:1]
    tight = store(tmp_path, most_bytes=10)
    assert tight.shed() == names[1:3]
    assert sorted(path.stem for path in tmp_path.glob("*.cfg")) == names[3:]
