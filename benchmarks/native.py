"""The C programs of the rig, compiled when they are needed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def build(name: str, folder: Path) -> Path:
    """Compile `<name>.c` into the folder, unless it is there already, and return the program.

    Raises FileNotFoundError with the way to get a compiler.
    """
    program = folder / name
    if program.exists():
        return program
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise FileNotFoundError("no C compiler: apt-get install gcc")
    source = HERE / f"{name}.c"
    subprocess.run([compiler, "-O2", "-o", program, source], check=True)
    return program
