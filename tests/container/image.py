"""The image as it is built on a machine where no container runtime can start: buildah, chroot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "grid-gateway"
BASE = "localhost/grid-gateway-base"

# Building and changing root need privileges; root on a CI machine has them, a developer has sudo.
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]


def tool(name: str) -> str:
    """Return the path of a program, or fail with the way to get it."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        raise AssertionError(f"{name} is missing; get it by `tools/system test`")
    return path


def run(*command: str, timeout: float = 900) -> str:
    """Run a command as root and return what it prints, or fail with what it said."""
    done = subprocess.run(
        [*AS_ROOT, *command], capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout


def storage() -> list[str]:
    """Return buildah's command with a store of its own, on overlays where the kernel has them."""
    filesystems = Path("/proc/filesystems").read_text(encoding="utf-8").split()
    driver = "overlay" if "overlay" in filesystems else "vfs"
    return [
        tool("buildah"),
        *("--storage-driver", driver),
        *("--root", str(CACHE / f"store-{driver}")),
        *("--runroot", str(CACHE / f"store-{driver}-run")),
    ]


def base(scratch: Path) -> str:
    """Return the name of a bare Debian image, made by debootstrap when there is none yet."""
    tool("debootstrap")
    CACHE.mkdir(parents=True, exist_ok=True)
    if BASE in run(*storage(), "images", "--format", "{{.Name}}").split():
        return BASE
    archive = CACHE / "base.tar"
    run(str(ROOT / "tools/base"), str(archive))
    recipe = scratch / "Dockerfile"
    recipe.write_text("FROM scratch\nADD base.tar /\n", encoding="utf-8")
    run(*storage(), "build", "--isolation", "chroot", "-t", BASE, "-f", str(recipe), str(CACHE))
    run("rm", str(archive))
    return BASE


def pip_settings(folder: Path) -> list[str]:
    """Hand this machine's own pip settings into a build, and return buildah's options for it.

    Files and folders that the settings name are mounted where they are named;
    the bundle of certificates is copied, because the build installs one of its own over it.
    """
    lines = ["[global]"]
    options = ["--volume", f"{folder}:/mnt/pip:ro", "--build-arg", "PIP_CONFIG_FILE=/mnt/pip/conf"]
    folder.mkdir()
    mounted: set[Path] = set()
    for key, value in configured().items():
        if key == "cert":
            shutil.copyfile(value, folder / "ca.crt")
            value = "/mnt/pip/ca.crt"
        for word in value.split() if key != "cert" else ():
            path = Path(word.removeprefix("file://"))
            if word.startswith("file://"):
                path = path.parent  # an index's pages point to files beside them
            if path.is_absolute() and path.exists() and path not in mounted:
                mounted.add(path)
                options += ["--volume", f"{path}:{path}:ro"]
        lines.append(f"{key} = {value}")
    (folder / "conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return options


def configured() -> dict[str, str]:
    """Return pip's settings, those of the environment over those of files."""
    said = subprocess.run(
        [str(ROOT / ".venv/bin/python"), "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    kept = ("cert", "index-url", "extra-index-url", "find-links", "trusted-host", "default-timeout")
    found: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for line in said.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(section) and (key := name.removeprefix(section)) in kept:
                found[key] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return found


def apt_settings() -> list[str]:
    """Return buildah's options that hand in apt's proxies and checks of this machine, if any."""
    folder = Path("/etc/apt/apt.conf.d")
    own = [path for path in sorted(folder.glob("9*")) if path.is_file()]
    return [part for path in own for part in ("--volume", f"{path}:{path}:ro")]


@contextmanager
def built(scratch: Path) -> Iterator[str]:
    """Build the image of this tree for the length of the context, and give its name."""
    name = f"localhost/grid-gateway-test:{uuid.uuid4().hex[:12]}"
    run(
        *storage(),
        *("build", "--isolation", "chroot", "--format", "docker", "--tag", name),
        *("--build-arg", f"BASE_IMAGE={base(scratch)}"),
        *pip_settings(scratch / "pip"),
        *apt_settings(),
        str(ROOT),
        timeout=1500,
    )
    try:
        yield name
    finally:
        run(*storage(), "rmi", "--force", name)
        run(*storage(), "rmi", "--prune")


def config(image: str) -> dict[str, Any]:
    """Return the image's configuration as a runtime reads it."""
    inspected = json.loads(run(*storage(), "inspect", "--type", "image", image))
    found: dict[str, Any] = inspected["Docker"]["config"]
    return found


class Container:
    """A container of the image, its processes started by `buildah run --isolation chroot`.

    A chroot has the machine's own network and processes and cannot make its root read-only;
    what it is able to show is which user runs and what was written where.
    """

    def __init__(self, image: str, *volumes: str) -> None:
        self.id = run(*storage(), "from", "--pull-never", image).strip()
        self.root = Path(run(*storage(), "mount", self.id).strip())
        self._volumes = [part for volume in volumes for part in ("--volume", volume)]

    def command(self, *words: str) -> list[str]:
        """Return the command that runs `words` in the container."""
        options = ["run", "--isolation", "chroot", *self._volumes, self.id, "--"]
        return [*AS_ROOT, *storage(), *options, *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `words` to their end."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=60, check=False
        )

    def remove(self) -> None:
        run(*storage(), "rm", self.id)
