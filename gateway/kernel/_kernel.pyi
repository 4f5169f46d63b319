# Built from csrc/kernel.h by csrc/build_kernel.py; that header is the reference.
from typing import Any

ffi: Any
lib: Any
