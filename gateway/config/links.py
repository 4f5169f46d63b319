"""The links of a YAML file: each item of `sources:` and `sinks:` as an instance of its class."""

from __future__ import annotations

from pathlib import Path

from gateway.config.document import Mapping as MappingNode
from gateway.config.document import Scalar, Sequence, found
from gateway.config.header import COMMAND
from gateway.config.problem import did_you_mean, excerpt, listing
from gateway.config.section import Section
from gateway.host import Component, Host, PluginError
from gateway.model.link import Sink, Source

RESERVED = {
    COMMAND: f"the columns {COMMAND}.… of the point list say how points are commanded",
    "audit": "the folder of that name in the data folder is the audit log's",
    "gateway": "the health points of that name are the gateway's own",
    "local": "the audit log calls so what is asked at the machine itself",
}
"""Names that no link can have, and why."""


class Links:
    """Reads the links of one file; names are unique over sources and sinks.

    nodes:    where each link stands, by name.
    unread:   names of links that have a problem of their own.
    complete: whether the names of all links are known.
    """

    def __init__(self, section: Section, host: Host) -> None:
        self.nodes: dict[str, MappingNode] = {}
        self.unread: set[str] = set()
        self.complete = True
        self._section = section
        self._host = host
        self._names: dict[str, int] = {}
        self._told: set[str] = set()

    @property
    def places(self) -> dict[str, tuple[Path, int, int]]:
        """File, line and column of each link."""
        path = self._section.path
        return {name: (path, node.line, node.column) for name, node in self.nodes.items()}

    def read(self, node: Sequence, key: str, base: type[Source | Sink]) -> list[Source | Sink]:
        """Return the links of a list, without those that have a problem."""
        links: list[Source | Sink] = []
        for i, item in enumerate(node.items):
            if isinstance(item, MappingNode):
                link = None
                name = self._name(item)
                component = self._component(item, key, base)
                if component is not None:
                    link = self._section.read(
                        item, component.cls, component.schema, f"plugin '{component.plugin}'"
                    )
                if link is None and name:
                    self.unread.add(name)
                elif link is None:
                    self.complete = False
                else:
                    links.append(link)
                    self.nodes[link.name] = item
            else:
                self.complete = False
                if not item.reported:
                    rule = "allowed: a mapping with name and type"
                    self._section.report(item, f"{key}[{i}]: found {found(item)}, {rule}")
        return links

    def _name(self, item: MappingNode) -> str:
        node = item.entries["name"][1] if "name" in item.entries else None
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return ""
        name = node.value
        if name in RESERVED:
            sentence = f"name: found {excerpt(name)}, but {RESERVED[name]}; allowed: any other name"
            self._section.report(node, sentence)
        elif name in self._names:
            sentence = (
                f"found the link {excerpt(name)} again, first in line {self._names[name]}; "
                "names are unique over sources and sinks"
            )
            self._section.report(node, sentence)
        else:
            self._names[name] = node.line
        return name

    def _component(
        self, item: MappingNode, key: str, base: type[Source | Sink]
    ) -> Component | None:
        if "type" not in item.entries:
            sentence = f"the key 'type' is missing, allowed: {self._types(key, base)}"
            self._section.add(item, sentence)
            return None
        node = item.entries["type"][1]
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value:
            if not node.reported:
                sentence = f"type: found {found(node)}, allowed: {self._types(key, base)}"
                self._section.report(node, sentence)
            return None
        word = node.value
        plugin = word.partition(".")[0]
        if plugin not in self._host.names():
            sentence = (
                f"type: found {excerpt(word)}, but no plugin {excerpt(plugin)} is installed; "
                f"allowed: {self._types(key, base)}"
            )
            self._section.report(node, sentence + did_you_mean(plugin, self._host.names()))
            return None
        try:
            component = self._host.component(word)
        except PluginError as error:
            node.reported = True
            if plugin not in self._told:
                self._told.add(plugin)
                self._section.add(node, f"type: {error}")
            return None
        except KeyError:
            known = [word for one in self._host.load(plugin).components for word in one.types]
            sentence = (
                f"type: found {excerpt(word)}, allowed for plugin '{plugin}': {listing(known)}"
            )
            self._section.report(node, sentence + did_you_mean(word, known))
            return None
        if not issubclass(component.cls, base):
            other = "sources" if key == "sinks" else "sinks"
            sentence = (
                f"type: found {excerpt(word)} among the {key}, but it belongs to the {other}; "
                f"allowed: {self._types(key, base)}"
            )
            self._section.report(node, sentence)
            return None
        return component

    def _types(self, key: str, base: type[Source | Sink]) -> str:
        """Return the types of the plugins that this file has loaded, and the other plugins."""
        types: list[str] = []
        others: list[str] = []
        for name in self._host.names():
            plugin = self._host.loaded(name)
            if plugin is None:
                others.append(name)
            else:
                for one in plugin.components:
                    types += one.types if issubclass(one.cls, base) else ()
        text = listing(types) if types else ""
        if others:
            text += (" or " if text else "") + f"a type of the plugins {listing(others)}"
        return text or f"none, because no plugin with {key} is installed"
