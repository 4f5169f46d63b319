"""Who asked for what, what the device received, and what is on record: whether it all fits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from actuator import Received
from command_process import REGISTERS
from operators import Told, Wish

from gateway.audit import Record

ENDS = ("ended", "refused", "interrupted")


class Account:
    """Three views of the same commands, which are told apart by their values."""

    def __init__(
        self, wishes: Sequence[Wish], received: Sequence[Received], log: Sequence[Record]
    ) -> None:
        self.wishes = {wish.value: wish for wish in wishes}
        self.writes: dict[int, list[Received]] = defaultdict(list)
        for one in received:
            self.writes[one.value].append(one)
        self.log = log

    def check_writes(self) -> None:
        """No value came twice, or unasked; and what a client was told is what the device did."""
        twice = {value: found for value, found in self.writes.items() if len(found) > 1}
        assert not twice
        assert self.writes.keys() <= self.wishes.keys()
        for value, wish in self.wishes.items():
            found = self.writes.get(value, [])
            assert all(one.register == REGISTERS[wish.point] for one in found)
            if wish.told is Told.DONE:
                assert [one.acted for one in found] == [True], wish
            elif wish.told is Told.REFUSED:
                assert not any(one.acted for one in found), wish

    def check_record(self) -> None:
        """All is on record of who asked, and each write before it came."""
        for record in self.log:
            if record.step in ("received", "forwarded", "ended", "interrupted"):
                wish = self.wishes[_value(record)]
                assert record.facts["sink"] == wish.sink
                assert record.facts["point"] == wish.point
                if wish.address:
                    assert record.facts["address"] == wish.address
        forwarded = [one for one in self.log if one.step == "forwarded"]
        times = {_value(one): one.time for one in forwarded}
        assert len(times) == len(forwarded)
        for value, found in self.writes.items():
            assert times[value] <= found[0].time

    def check_ends(self, clients: int) -> None:
        """What was received has one end, the one that the client was told.

        What a kill left under way, one request of each of so many clients, the next start names.
        """
        received = Counter(_name(one) for one in self.log if one.step == "received")
        ended = [one for one in self.log if one.step in ENDS and "operation" in one.facts]
        assert received == Counter(_name(one) for one in ended)
        assert set(received.values()) <= {1}
        left = 0
        for one in self.log:
            if one.step == "started":
                left = 0
            elif one.step == "interrupted":
                left += 1
                assert left <= clients, "more than were under way"
                if "nothing was sent" in one.facts["detail"]:
                    assert _value(one) not in self.writes
        # Of a select and its execute the last one counts.
        last = {_value(one): one for one in ended}
        for value, wish in self.wishes.items():
            if wish.told is Told.DONE:
                assert last[value].facts["status"] == "success", wish
            elif wish.told is Told.TIMEOUT:
                assert last[value].facts["status"] == "timeout", wish
            elif wish.told is Told.REFUSED and value in last:
                assert last[value].step == "refused", wish


def _value(record: Record) -> int:
    return int(record.facts["value"])


def _name(record: Record) -> tuple[str, str]:
    return record.facts["id"], record.facts["operation"]
