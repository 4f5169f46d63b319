"""Build `gateway.kernel._kernel` from kernel.h and the .c files beside it."""

from __future__ import annotations

import sys
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent

# No -march here: levels above the baseline are chosen at run time (level.c).
# Contraction stays off so that all levels give the same bits, and -ffast-math never comes in,
# because quality is built on NaN and infinity.
FLAGS = [
    "-std=c11",
    "-O3",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=off",
    "-fvisibility=hidden",
]


def declarations() -> str:
    """Return the part of kernel.h between its two markers."""
    text = (HERE / "kernel.h").read_text(encoding="utf-8")
    return text.split("/* cdef begin */")[1].split("/* cdef end */")[0]


def _relative(path: Path) -> str:
    return path.relative_to(HERE.parent).as_posix()


ffibuilder = FFI()
ffibuilder.cdef(declarations())
ffibuilder.set_source(
    "gateway.kernel._kernel",
    '#include "kernel.h"',
    sources=[_relative(path) for path in sorted(HERE.glob("*.c"))],
    # This script among them: what is listed here also goes into the source distribution.
    depends=[_relative(path) for path in (*sorted(HERE.glob("*.h")), HERE / "build_kernel.py")],
    include_dirs=["csrc"],
    libraries=[] if sys.platform == "win32" else ["m"],
    extra_compile_args=[] if sys.platform == "win32" else FLAGS,
    py_limited_api=True,
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
