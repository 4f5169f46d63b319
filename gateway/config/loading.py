"""A YAML file and its point lists, read into a Configuration."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from gateway.config import access, commands, document, file, table, telemetry
from gateway.config.document import Mapping as MappingNode
from gateway.config.document import Node, Scalar, Sequence, found
from gateway.config.links import Links
from gateway.config.names import Names
from gateway.config.points import PointList
from gateway.config.problem import ConfigError, Problem, did_you_mean, excerpt, listing
from gateway.config.section import Section
from gateway.host import Host
from gateway.model.access import AccessSettings
from gateway.model.configuration import CommandSettings, Configuration, GatewaySettings
from gateway.model.fields import Settings
from gateway.model.link import Sink, Source
from gateway.model.point import Definition

S = TypeVar("S", bound=Settings)

KEYS = {
    "gateway": "a mapping with the gateway's name and settings",
    "points": "the path of the point list, or a list of paths",
    "sources": "a list, one link an item",
    "sinks": "a list, one link an item",
    "commands": "a mapping with what holds for commands",
    "access": "a mapping with users, roles and certificates",
}
REQUIRED = ("gateway", "points", "sources")


def load(
    path: str | os.PathLike[str],
    environ: Mapping[str, str] = os.environ,
    host: Host | None = None,
    *,
    sealed: bool = False,
) -> Configuration:
    """Read a YAML file and the point lists that it names, connecting to nothing.

    Imports the plugins that the file names, and no others; `host` brings plugins for tests.
    sealed: opens no file outside of the YAML's folder, and takes secrets and users as given: for
    a file that is not of this machine.
    Raises ConfigError with everything that is wrong.
    """
    return _Loader(Path(path), environ, host or Host(), sealed=sealed).load()


def point_list(
    text: str, links: Iterable[Source | Sink], path: Path = Path("points.csv")
) -> tuple[Definition, ...]:
    """Return the points of a point list given as text, for links that exist already.

    Raises ConfigError with everything that is wrong.
    """
    points = PointList(list(links))
    points.add(path, text)
    definitions = points.check()
    if points.problems:
        raise ConfigError(sorted(points.problems))
    return definitions


class _Loader:
    """One reading of one file."""

    def __init__(self, path: Path, environ: Mapping[str, str], host: Host, *, sealed: bool) -> None:
        self.path = path
        self.sealed = sealed
        self.problems: list[Problem] = []
        self.digests: dict[Path, str] = {}
        self.section = Section(path, environ, self.problems, sealed=sealed)
        self.links = Links(self.section, host)
        self.order: dict[Path, int] = {path: 0}

    def load(self) -> Configuration:
        root = self._root()
        settings: GatewaySettings | None = None
        command_settings: CommandSettings | None = None
        access_settings: AccessSettings | None = None
        sources: list[Any] = []
        sinks: list[Any] = []
        definitions: tuple[Definition, ...] | None = None
        if root is not None:
            settings = self._settings(root, "gateway", GatewaySettings)
            if settings is not None and settings.telemetry is not None:
                telemetry.check(self.section, self._entry(root, "gateway") or root)
            command_settings = self._settings(root, "commands", CommandSettings)
            access_settings = self._settings(root, "access", AccessSettings)
            sources = self._links(root, "sources", Source)
            sinks = self._links(root, "sinks", Sink)
            # Millions of young objects, and none of them garbage: looking for it costs a third.
            collecting = gc.isenabled()
            gc.disable()
            try:
                definitions = self._points(root, [*sources, *sinks])
            finally:
                if collecting:
                    gc.enable()
            names = None
            if definitions is not None:
                names = Names(definitions, (link.name for link in [*sources, *sinks]))
            if command_settings is not None:
                node = self._entry(root, "commands") or root
                commands.check(self.section, node, command_settings, names)
            if access_settings is not None:
                node = self._entry(root, "access") or root
                known = access_settings.model_copy(update={"users": None})
                checked = known if self.sealed else access_settings
                access.check(self.section, node, checked, names)
                access.check_links(self.section, self.links.nodes, sinks, access_settings)
        if self.problems or settings is None or definitions is None:
            last = len(self.order)
            raise ConfigError(
                sorted(self.problems, key=lambda p: (self.order.get(p.path, last), *_rank(p)))
            )
        data = self.path.parent.absolute() / settings.data
        settings = settings.model_copy(update={"data": Path(os.path.normpath(data))})
        return Configuration(
            self.path,
            settings,
            tuple(sources),
            tuple(sinks),
            definitions,
            command_settings or CommandSettings(),
            access_settings or AccessSettings(),
            self.digests,
        )

    def _report(self, line: int, column: int, sentence: str) -> None:
        self.problems.append(Problem(self.path, line, column, sentence))

    def _root(self) -> MappingNode | None:
        try:
            text = file.read(self.path, file.MAX_YAML, self.digests)
        except file.Unreadable as error:
            self._report(error.line, error.column, str(error))
            return None
        root = document.parse(text, self._report)
        allowed = f"allowed: a mapping with the keys {listing(KEYS)}"
        if isinstance(root, MappingNode):
            for name, (key, _) in root.entries.items():
                if name not in KEYS:
                    sentence = f"found the unknown key {excerpt(name)}, allowed: {listing(KEYS)}"
                    self.section.report(key, sentence + did_you_mean(name, KEYS))
            for name in REQUIRED:
                if name not in root.entries:
                    sentence = f"the key '{name}' is missing, allowed: {KEYS[name]}"
                    self._report(root.line, root.column, sentence)
            return root
        if root is None or (isinstance(root, Scalar) and root.value is None):
            if not self.problems:
                self._report(1, 1, f"the file is empty, {allowed}")
        elif not root.reported:
            self.section.report(root, f"found {found(root)}, {allowed}")
        return None

    # gateway:, commands: and access: ------------------------------------------------------------

    def _settings(self, root: MappingNode, key: str, model: type[S]) -> S | None:
        """Return the settings under a key, their defaults where it is not there."""
        node = self._entry(root, key)
        if node is None:
            return None if key in REQUIRED else model()
        if not isinstance(node, MappingNode):
            self._refuse(node, key)
            return None
        return self.section.read(node, model, _schema(model))

    def _entry(self, root: MappingNode, key: str) -> Node | None:
        return root.entries[key][1] if key in root.entries else None

    def _refuse(self, node: Node, key: str) -> None:
        if not node.reported:
            self.section.report(node, f"{key}: found {found(node)}, allowed: {KEYS[key]}")

    def _links(self, root: MappingNode, key: str, base: type[Source | Sink]) -> list[Source | Sink]:
        node = self._entry(root, key)
        if isinstance(node, Sequence):
            return self.links.read(node, key, base)
        left_out = node is None or (isinstance(node, Scalar) and node.value is None)
        if key in REQUIRED or not left_out:
            self.links.complete = False
            if node is not None:
                self._refuse(node, key)
        return []

    # points: -------------------------------------------------------------------------------------

    def _points(
        self, root: MappingNode, links: list[Source | Sink]
    ) -> tuple[Definition, ...] | None:
        """Return all points, or None where there is a problem with one of them."""
        node = self._entry(root, "points")
        if node is None:
            return None
        before = len(self.problems)
        nodes = node.items if isinstance(node, Sequence) else [node]
        points = PointList(links, {"": (self.path, node.line, node.column)} | self.links.places)
        points.unread(self.links.unread, everything=not self.links.complete)
        if not nodes:
            self._refuse(node, "points")
        for one in nodes:
            if not isinstance(one, Scalar) or not isinstance(one.value, str) or not one.value:
                self._refuse(one, "points")
                continue
            path = self.path.parent / one.value
            if self.sealed and one.value != path.name:
                sentence = f"points: found {excerpt(one.value)}, allowed: a file beside this one"
                self.section.report(one, sentence)
                continue
            if path in self.order:
                self.section.report(one, f"points: found the file {excerpt(one.value)} twice")
                continue
            self.order[path] = len(self.order)
            try:
                text = file.read(path, table.MAX_BYTES, self.digests)
            except file.Unreadable as error:
                if "not UTF-8" in str(error):
                    self.problems.append(Problem(path, error.line, error.column, str(error)))
                else:
                    self.section.report(one, f"points: {path}: {error}")
                continue
            points.add(path, text)
        definitions = points.check() if not points.problems else ()
        self.problems += points.problems
        return definitions if len(self.problems) == before else None


@cache
def _schema(model: type[Settings]) -> dict[str, Any]:
    return model.model_json_schema()


def _rank(problem: Problem) -> tuple[int, int, str]:
    return problem.line, problem.column, problem.sentence
