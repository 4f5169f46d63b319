"""The journal's file: what is written is there again, whole or not at all."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal.store import Reader, Store, StoreError, Transaction, pack, unpack
from gateway.model.batch import EMPTY, Batch


def batch(*values: float, point: int = 0) -> Batch:
    return Batch.of([point] * len(values), values, 0, 1)


def test_packed_rows_are_little_endian_columns() -> None:
    """The blob is what `struct` writes for the four columns, one behind the other."""
    rows = Batch.of([7, 8], [1.5, -2.0], [0x81, 0x4000], [10, 20])

    assert struct.pack("<ii dd HH qq".replace(" ", ""), 7, 8, 1.5, -2.0, 0x81, 0x4000, 10, 20) == (
        pack(rows)
    )


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**31 - 1),
            st.floats(allow_nan=True, allow_infinity=True),
            st.integers(0, 2**16 - 1),
            st.integers(-(2**63), 2**63 - 1),
        )
    )
)
def test_unpacking_gives_back_every_bit(rows: list[tuple[int, float, int, int]]) -> None:
    """Whatever is packed comes back, NaN and extremes included."""
    columns = list(zip(*rows, strict=True))
    before = Batch.of(*columns) if columns else EMPTY
    after = unpack(pack(before), len(before))

    for name in ("point", "value", "quality", "time"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_a_blob_of_another_length_is_refused() -> None:
    """A cut blob is an error and never fewer samples."""
    with pytest.raises(ValueError, match="2 rows take 44 bytes, not 43"):
        unpack(pack(batch(1, 2))[:-1], 2)


def test_ids_outlive_the_configuration(tmp_path: Path) -> None:
    """A name keeps its id for ever, also when it was away in between."""
    store = Store(tmp_path / "journal.db")
    first = store.ids(["a", "b", "c"])
    store.close()

    store = Store(tmp_path / "journal.db")
    again = store.ids(["c", "new", "a"])

    assert first == [0, 1, 2]
    assert again == [2, 3, 0]
    assert store.names() == {0: "a", 1: "b", 2: "c", 3: "new"}
    store.close()


def test_a_commit_is_whole_after_reopening(tmp_path: Path) -> None:
    """Batches, cursors and the last number of one commit are all there."""
    store = Store(tmp_path / "journal.db")
    store.commit(Transaction(5, [(4, 100, batch(1)), (5, 200, batch(2, 3))], {"s": {"x": 1}}))
    store.close()

    store = Store(tmp_path / "journal.db")
    stored, size = store.extent()

    assert store.head() == 5
    assert list(stored) == [(4, 5)]
    assert size == 3 * 22
    assert store.sinks() == {"s": {"x": 1}}
    store.forget("s")
    assert store.sinks() == {}
    store.close()


def test_a_failing_commit_changes_nothing(tmp_path: Path) -> None:
    """A transaction of which one part cannot be leaves the file as it was."""
    store = Store(tmp_path / "journal.db")
    store.commit(Transaction(1, [(1, 100, batch(1))], {"s": 1}))

    with pytest.raises(sqlite3.IntegrityError):
        store.commit(Transaction(2, [(2, 1, batch(2)), (2, 1, batch(3))], {"s": 2}, [(1, 1)]))

    assert store.head() == 1
    assert list(store.extent()[0]) == [(1, 1)]
    assert store.sinks() == {"s": 1}
    store.close()


def test_deleting_says_how_much_was_freed(tmp_path: Path) -> None:
    """The bytes freed are those of the rows in the range, 22 for each sample."""
    store = Store(tmp_path / "journal.db")
    store.commit(Transaction(3, [(n, n, batch(*range(n))) for n in (1, 2, 3)]))

    assert store.commit(Transaction(3, delete=[(1, 2)])) == 3 * 22
    assert list(store.extent()[0]) == [(3, 3)]
    store.close()


def test_reading_stops_at_the_rows_that_were_asked_for(tmp_path: Path) -> None:
    """At least one batch comes back, and none after the one that reached the number."""
    store = Store(tmp_path / "journal.db")
    store.commit(Transaction(4, [(n, n, batch(n, n)) for n in (1, 2, 3, 4)]))
    reader = Reader(store.path)

    assert [seq for seq, _ in reader.read(1, 4, 1)] == [1]
    assert [seq for seq, _ in reader.read(2, 4, 3)] == [2, 3]
    assert reader.read(9, 12, 5) == []
    assert reader.read(3, 3, 5)[0][1].value.tolist() == [3.0, 3.0]
    reader.close()
    store.close()


def test_the_oldest_are_found_by_size_and_by_age(tmp_path: Path) -> None:
    """Two rows are 44 bytes: shedding 45 bytes takes two batches; age stops at its bound."""
    store = Store(tmp_path / "journal.db")
    store.commit(Transaction(4, [(n, n * 10, batch(n, n)) for n in (1, 2, 3, 4)]))
    reader = Reader(store.path)

    assert [seq for seq, _ in reader.oldest(size=45)] == [1, 2]
    assert [seq for seq, _ in reader.oldest(before=31)] == [1, 2, 3]
    assert [seq for seq, _ in reader.oldest(before=31, most=1)] == [1]
    reader.close()
    store.close()


def test_two_gateways_never_share_a_journal(tmp_path: Path) -> None:
    """The second to come is told so, and the first is undisturbed."""
    store = Store(tmp_path / "journal.db")

    with pytest.raises(StoreError, match="in use by another gateway"):
        Store(tmp_path / "journal.db")

    assert store.ids(["a"]) == [0]
    store.close()
    Store(tmp_path / "journal.db").close()


def test_a_format_from_the_future_is_refused(tmp_path: Path) -> None:
    """A file of a later gateway is named, with both formats, and left alone."""
    Store(tmp_path / "journal.db").close()
    db = sqlite3.connect(tmp_path / "journal.db")
    db.execute("PRAGMA user_version=99")
    db.close()

    with pytest.raises(StoreError, match="has format 99; this gateway knows 1"):
        Store(tmp_path / "journal.db")


def test_a_damaged_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The gateway starts with a new journal, says so, and leaves the damaged one alone."""
    damaged = b"not a database at all, but long enough to look at" * 9
    (tmp_path / "journal.db").write_bytes(damaged)

    store = Store(tmp_path / "journal.db")

    assert store.ids(["a"]) == [0]
    aside = [path for path in tmp_path.iterdir() if ".damaged-" in path.name]
    assert [damaged] == [path.read_bytes() for path in aside]
    assert "is damaged (file is not a database)" in caplog.text
    store.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where the data folder would have to be made inside a file, the error names it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="the journal lives there"):
        Store(tmp_path / "file" / "data" / "journal.db")
