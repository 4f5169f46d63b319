"""What `access:` says of points, and who names its roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from gateway.config.document import Mapping as MappingNode
from gateway.config.document import Node
from gateway.config.names import Names
from gateway.config.problem import Problem, did_you_mean, excerpt, listing
from gateway.config.section import Section
from gateway.model.access import BUILT_IN, AccessSettings
from gateway.model.link import Sink, Source


def check(section: Section, node: Node, settings: AccessSettings, names: Names | None) -> None:
    """Report what is wrong with roles and rules; `names` is None where points are not known."""
    first: dict[str, int] = {}
    for i, role in enumerate(settings.roles):
        at, where = section.place(node, ("roles", i, "name"))
        if role.name in first:
            line = first[role.name]
            sentence = f"{where}: found the role {excerpt(role.name)} again, first in line {line}"
            section.report(at, sentence)
        first.setdefault(role.name, at.line)
        section.check_patterns(node, ("roles", i, "points"), role.points, names)
    for i, rule in enumerate(settings.certificates):
        if sentence := unknown_role(rule.role, settings):
            at, where = section.place(node, ("certificates", i, "role"))
            section.report(at, f"{where}: {sentence}")
    if settings.users is not None:
        _check_users(section, node, settings.users, settings)


def _check_users(section: Section, node: Node, path: Path, settings: AccessSettings) -> None:
    # Imported late: gateways without users do not pay for it.
    from gateway.access import UsersError, load_users

    try:
        load_users(path, _roles(settings))
    except UsersError as error:
        if path.is_file():
            shown = _beside(path, section.path.parent)
            section.problems += [
                Problem(shown, one.line, one.column, one.sentence) for one in error.mistakes
            ]
        else:
            at, where = section.place(node, ("users",))
            sentence = error.mistakes[0].sentence
            section.report(at, f"{where}: {sentence}: {path}; `gateway user add` writes it")


def check_links(
    section: Section,
    nodes: Mapping[str, MappingNode],
    links: Iterable[Source | Sink],
    settings: AccessSettings,
) -> None:
    """Report sinks that give their clients a role which there is not."""
    for link in links:
        role = link.role if isinstance(link, Sink) else None
        if role is not None and (sentence := unknown_role(role, settings)):
            at, where = section.place(nodes[link.name], ("role",))
            section.report(at, f"{where}: {sentence}")


def unknown_role(role: str, settings: AccessSettings) -> str:
    """Return the sentence for a role that there is not, nothing for one that there is."""
    known = _roles(settings)
    if role in known:
        return ""
    return f"found the role {excerpt(role)}, allowed: {listing(known)}{did_you_mean(role, known)}"


def _roles(settings: AccessSettings) -> list[str]:
    return list(dict.fromkeys([*BUILT_IN, *(role.name for role in settings.roles)]))


def _beside(path: Path, folder: Path) -> Path:
    """Return a path the way the YAML file itself was named: relative where that was."""
    absolute = folder.absolute()
    return folder / path.relative_to(absolute) if path.is_relative_to(absolute) else path
