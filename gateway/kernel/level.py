"""The instruction set that the kernel runs on."""

from __future__ import annotations

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError

_NUMBERS: dict[str, int] = {
    ffi.string(lib.gw_level_name(number)).decode(): number for number in range(lib.GW_LEVELS)
}


def level() -> str:
    """Return the level in force: `plain` or `x86-64-v3`."""
    number = lib.gw_level()
    return next(name for name, other in _NUMBERS.items() if other == number)


def levels() -> list[str]:
    """Return the levels that this processor supports, the plainest first."""
    return [name for name, number in _NUMBERS.items() if lib.gw_level_supported(number)]


def force_level(name: str) -> None:
    """Run on this level from now on, in the whole process; the results are the same bits.

    Raises ValueError for an unknown name and KernelError where the processor has no such level.
    """
    if name not in _NUMBERS:
        raise ValueError(f"unknown level {name!r}; known are {', '.join(_NUMBERS)}")
    code = lib.gw_level_force(_NUMBERS[name])
    if code < 0:
        raise KernelError(code, name)
