"""Ethernet of Linux: received frames in a ring (packet(7), TPACKET_V3), and frames sent in time."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import socket
import struct
import sys
from typing import Any, NamedTuple

import numpy as np

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.kernel.packet_filter import frame_filter
from gateway.kernel.sampled import Frames, SampledValues
from gateway.kernel.samples import SampleRows
from gateway.model.errors import LinkError

# linux/if_packet.h and linux/if_ether.h; Python's socket has none of them.
_SOL_PACKET, _ATTACH_FILTER = 263, 26
_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION, _RESERVE = 1, 5, 6, 10, 12
_MULTICAST, _PROMISCUOUS, _ALL_MULTICAST = 0, 1, 2
_V3 = 2
_ALL_PROTOCOLS = 3
_ETHERNETS = (1, 772)
"""ARPHRD_ETHER and ARPHRD_LOOPBACK."""

_BLOCK_HEAD, _FRAME_HEAD, _PAGE = 48, 82, 4096
"""Octets before the first frame of a block; from a frame's head to the frame; of a block."""
_MOST = 512
"""Frames that are taken at once."""


class RingCounts(NamedTuple):
    """Frames that passed the filter since the last look: all of them; those for which the ring had
    no room; and how often it was full."""

    frames: int
    dropped: int
    frozen: int


class Ring:
    """The frames of one EtherType that an interface receives, as the system puts them into memory
    that is shared with it.

    interface:   its name.
    destination: the address, 6 octets, of the frames that are taken, and the multicast group that
                 is joined; None for any, and all groups.
    vlan, appid: id of the tag (0 also for none), and APPID; None for any.
    promiscuous: whether the interface is to take frames for others, too.
    frames:      of so many each, as a rule, a block is made and handed over;
    octets:      where each has so many;
    retire:      and after so many ms [1..] in any case.
    blocks:      of the ring; frames beyond it are dropped, and counted.

    The tag that the system took off a frame is not in it. Owned by one thread at a time, until
    `close`; calls release the GIL.
    Raises LinkError where there is no such interface, or no right to it, or no Linux.
    """

    def __init__(
        self,
        interface: str,
        ethertype: int = 0x88BA,
        *,
        destination: bytes | None = None,
        vlan: int | None = None,
        appid: int | None = None,
        promiscuous: bool = False,
        frames: int = 8,
        octets: int = 160,
        retire: int = 2,
        blocks: int = 512,
    ) -> None:
        self.interface, self.most = interface, _MOST
        self._socket = _packet_socket(interface, "receive frames from")
        try:
            program = frame_filter(ethertype, destination=destination, vlan=vlan, appid=appid)
            _attach(self._socket, program)
            block, reserve = _spacing(frames, octets)
            sizes = struct.pack("7I", block, blocks, block, blocks, retire, 0, 0)
            self._socket.setsockopt(_SOL_PACKET, _VERSION, _V3)
            self._socket.setsockopt(_SOL_PACKET, _RESERVE, reserve)
            self._socket.setsockopt(_SOL_PACKET, _RX_RING, sizes)
            self._map = mmap.mmap(self._socket.fileno(), block * blocks)
            _bind(self._socket, interface, _ALL_PROTOCOLS)
            _join(self._socket, interface, destination, promiscuous)
        except OSError as error:
            self._socket.close()
            raise LinkError(f"no ring for {interface}: {os.strerror(error.errno or 0)}") from error
        except LinkError:
            self._socket.close()
            raise
        self._octets = ffi.from_buffer("uint8_t[]", self._map, require_writable=True)
        self._columns = [np.zeros(_MOST, np.int64) for _ in range(3)]
        self._c_columns = [
            ffi.from_buffer("int64_t[]", c, require_writable=True) for c in self._columns
        ]
        self._c = ffi.new("gw_ring *")
        self._c.fd, self._c.memory = self._socket.fileno(), self._octets
        self._c.block, self._c.blocks = block, blocks

    def take(self, wait: int) -> Frames:
        """Return frames that came, waiting up to `wait` ms for some; they hold until `release`.

        Raises LinkError where the interface is down or gone.
        """
        n: int = lib.gw_ring_take(self._c, wait, _MOST, *self._c_columns)
        if n < 0:
            raise self._fault(n)
        return Frames(self._map, *(column[:n] for column in self._columns))

    def release(self) -> None:
        """Give what was taken back to the system."""
        lib.gw_ring_release(self._c)

    def decode(self, to: SampledValues, rows: SampleRows, wait: int) -> int:
        """Take frames, decode them into rows and release them, in one call; return how many rows.

        `rows` has room for those of `most` frames. Raises as `take` and `to.decode` do.
        """
        made: int = lib.gw_ring_decode(self._c, wait, _MOST, *self._c_columns, to._c, rows._c)
        if made < 0:
            raise self._fault(made)
        return made

    def counts(self) -> RingCounts:
        """Return what came and what was dropped since the last look."""
        packed = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12)
        return RingCounts(*struct.unpack("3I", packed))

    def close(self) -> None:
        """Give the ring back. What `take` returned must not be used again."""
        ffi.release(self._octets)
        # Where somebody still holds frames, the memory goes with them.
        with contextlib.suppress(BufferError):
            self._map.close()
        self._socket.close()

    def _fault(self, code: int) -> Exception:
        if code != lib.GW_LINK_DOWN:
            return KernelError(code, f"ring of {self.interface}, {_MOST} frames")
        found = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return LinkError(f"interface {self.interface}: {os.strerror(found or errno.ENETDOWN)}")


class Sender:
    """Sends frames from an interface, each when it is time.

    Raises LinkError where there is no such interface, or no right to it, or no Linux.
    """

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self._socket = _packet_socket(interface, "send frames from")
        try:
            _bind(self._socket, interface, 0)
        except LinkError:
            self._socket.close()
            raise

    def send(self, frames: Frames) -> int:
        """Send these in their order, each when the system's clock is at its `time`, at once where
        that has passed; return how many were sent.

        Ends before a frame that is more than a second away, or where the interface takes no more.
        Raises LinkError where the interface is down or gone.
        """
        sent: int = lib.gw_frames_send(self._socket.fileno(), frames._c)
        if sent == lib.GW_LINK_DOWN:
            raise LinkError(f"interface {self.interface} is down or gone")
        if sent < 0:
            raise KernelError(sent, f"{len(frames)} frames")
        return sent

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


def _packet_socket(interface: str, what: str) -> socket.socket:
    if sys.platform != "linux":
        raise LinkError(f"found {sys.platform}, allowed to {what} {interface}: linux")
    try:
        # Protocol 0: nothing is received before it is bound.
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise LinkError(
            f"no right to {what} {interface}: the process needs CAP_NET_RAW "
            "(AmbientCapabilities=CAP_NET_RAW in its unit; "
            "--user 0 --cap-add NET_RAW of its container)"
        ) from error


def _bind(packet: socket.socket, interface: str, protocol: int) -> None:
    try:
        packet.bind((interface, protocol))
    except OSError as error:
        known = ", ".join(name for _, name in socket.if_nameindex())
        raise LinkError(f"found no interface '{interface}', allowed: {known}") from error
    kind = packet.getsockname()[3]
    if kind not in _ETHERNETS:
        raise LinkError(f"found interface '{interface}' of kind {kind}, allowed: Ethernet")


def _join(
    packet: socket.socket, interface: str, destination: bytes | None, promiscuous: bool
) -> None:
    kind = _ALL_MULTICAST if destination is None else _MULTICAST
    kinds = [kind] if destination is None or destination[0] & 1 else []
    for one in [*kinds, *([_PROMISCUOUS] if promiscuous else [])]:
        group = (destination or b"") if one == _MULTICAST else b""
        index = socket.if_nametoindex(interface)
        packet.setsockopt(
            _SOL_PACKET, _ADD_MEMBERSHIP, struct.pack("iHH8s", index, one, len(group), group)
        )


def _attach(packet: socket.socket, program: list[Any]) -> None:
    packed = b"".join(struct.pack("HBBI", *one) for one in program)
    memory = ffi.from_buffer("uint8_t[]", packed)
    address = int(ffi.cast("uintptr_t", memory))
    packet.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(program), address))


def _spacing(frames: int, octets: int) -> tuple[int, int]:
    """Return the octets of a block, and those to leave free before each frame, so that a block is
    full with so many frames of so many octets: it then is handed over, sooner than by its age,
    which the system looks at no more often than at its own ticks.
    """
    each = (_FRAME_HEAD + octets + 7) // 8 * 8
    block = _PAGE
    while (block - _BLOCK_HEAD) // frames < each:
        block *= 2
    return block, ((block - _BLOCK_HEAD) // frames - each) // 16 * 16
