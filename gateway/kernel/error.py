"""What the kernel refuses."""

from __future__ import annotations

from gateway.kernel._kernel import ffi, lib


class KernelError(ValueError):
    """The kernel refused a call and changed nothing; `code` is its return code.

    The message is the code's sentence, and the numbers that explain it.
    """

    def __init__(self, code: int, numbers: str = "") -> None:
        sentence = ffi.string(lib.gw_strerror(code)).decode()
        super().__init__(f"{sentence}: {numbers}" if numbers else sentence)
        self.code = code
