"""A YAML file and its point lists, read into a Configuration."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from gateway.config import access, commands, document, file, table
from gateway.config.document import Mapping as MappingNode
from gateway.config.document import Node, Scalar, Sequence, found
from gateway.config.names import Names
from gateway.config.points import COMMAND, PointList
from gateway.config.problem import ConfigError, Problem, did_you_mean, excerpt, listing
from gateway.config.section import Section
from gateway.host import Component, Host, PluginError
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
) -> Configuration:
    """Read a YAML file and the point lists that it names, connecting to nothing.

    Imports the plugins that the file names, and no others; `host` brings plugins for tests.
    Raises ConfigError with everything that is wrong.
    """
    return _Loader(Path(path), environ, host or Host()).load()


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

    def __init__(self, path: Path, environ: Mapping[str, str], host: Host) -> None:
        self.path = path
        self.host = host
        self.problems: list[Problem] = []
        self.section = Section(path, environ, self.problems)
        self.places: dict[str, tuple[Path, int, int]] = {}
        self.nodes: dict[str, MappingNode] = {}
        self.names: dict[str, int] = {}
        self.unread: set[str] = set()
        self.links_readable = True
        self.told: set[str] = set()
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
                access.check(self.section, node, access_settings, names)
                access.check_links(self.section, self.nodes, sinks, access_settings)
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
        )

    def _report(self, line: int, column: int, sentence: str) -> None:
        self.problems.append(Problem(self.path, line, column, sentence))

    def _root(self) -> MappingNode | None:
        try:
            text = file.read(self.path, file.MAX_YAML)
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

    # sources: and sinks: -------------------------------------------------------------------------

    def _links(self, root: MappingNode, key: str, base: type[Source | Sink]) -> list[Source | Sink]:
        node = self._entry(root, key)
        if node is None:
            self.links_readable = self.links_readable and key not in REQUIRED
            return []
        if not isinstance(node, Sequence):
            self.links_readable = False
            if isinstance(node, Scalar) and node.value is None and key not in REQUIRED:
                self.links_readable = True
                return []
            self._refuse(node, key)
            return []
        links = []
        for i, item in enumerate(node.items):
            if isinstance(item, MappingNode):
                link = None
                name = self._name(item)
                component = self._component(item, key, base)
                if component is not None:
                    link = self.section.read(
                        item, component.cls, component.schema, f"plugin '{component.plugin}'"
                    )
                if link is None and name:
                    self.unread.add(name)
                elif link is None:
                    self.links_readable = False
                else:
                    links.append(link)
                    self.places[link.name] = (self.path, item.line, item.column)
                    self.nodes[link.name] = item
            else:
                self.links_readable = False
                if not item.reported:
                    rule = "allowed: a mapping with name and type"
                    self.section.report(item, f"{key}[{i}]: found {found(item)}, {rule}")
        return links

    def _name(self, item: MappingNode) -> str:
        node = self._entry(item, "name")
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return ""
        name = node.value
        if name == COMMAND:
            sentence = (
                f"name: found {excerpt(name)}, but the columns {COMMAND}.… of the point list say "
                "how points are commanded; allowed: any other name"
            )
            self.section.report(node, sentence)
        elif name in self.names:
            sentence = (
                f"found the link {excerpt(name)} again, first in line {self.names[name]}; "
                "names are unique over sources and sinks"
            )
            self.section.report(node, sentence)
        else:
            self.names[name] = node.line
        return name

    def _component(
        self, item: MappingNode, key: str, base: type[Source | Sink]
    ) -> Component | None:
        node = self._entry(item, "type")
        if node is None:
            sentence = f"the key 'type' is missing, allowed: {self._types(key, base)}"
            self._report(item.line, item.column, sentence)
            return None
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value:
            if not node.reported:
                sentence = f"type: found {found(node)}, allowed: {self._types(key, base)}"
                self.section.report(node, sentence)
            return None
        word = node.value
        plugin = word.partition(".")[0]
        if plugin not in self.host.names():
            sentence = (
                f"type: found {excerpt(word)}, but no plugin {excerpt(plugin)} is installed; "
                f"allowed: {self._types(key, base)}"
            )
            self.section.report(node, sentence + did_you_mean(plugin, self.host.names()))
            return None
        try:
            component = self.host.component(word)
        except PluginError as error:
            node.reported = True
            if plugin not in self.told:
                self.told.add(plugin)
                self._report(node.line, node.column, f"type: {error}")
            return None
        except KeyError:
            known = [word for one in self.host.load(plugin).components for word in one.types]
            sentence = (
                f"type: found {excerpt(word)}, allowed for plugin '{plugin}': {listing(known)}"
            )
            self.section.report(node, sentence + did_you_mean(word, known))
            return None
        if not issubclass(component.cls, base):
            other = "sources" if key == "sinks" else "sinks"
            sentence = (
                f"type: found {excerpt(word)} among the {key}, but it belongs to the {other}; "
                f"allowed: {self._types(key, base)}"
            )
            self.section.report(node, sentence)
            return None
        return component

    def _types(self, key: str, base: type[Source | Sink]) -> str:
        """Return the types of the plugins that this file has loaded, and the other plugins."""
        types: list[str] = []
        others: list[str] = []
        for name in self.host.names():
            plugin = self.host.loaded(name)
            if plugin is None:
                others.append(name)
            else:
                for one in plugin.components:
                    types += one.types if issubclass(one.cls, base) else ()
        text = listing(types) if types else ""
        if others:
            text += (" or " if text else "") + f"a type of the plugins {listing(others)}"
        return text or f"none, because no plugin with {key} is installed"

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
        points = PointList(links, {"": (self.path, node.line, node.column)} | self.places)
        points.unread(self.unread, everything=not self.links_readable)
        if not nodes:
            self._refuse(node, "points")
        for one in nodes:
            if not isinstance(one, Scalar) or not isinstance(one.value, str) or not one.value:
                self._refuse(one, "points")
                continue
            path = self.path.parent / one.value
            if path in self.order:
                self.section.report(one, f"points: found the file {excerpt(one.value)} twice")
                continue
            self.order[path] = len(self.order)
            try:
                text = file.read(path, table.MAX_BYTES)
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
