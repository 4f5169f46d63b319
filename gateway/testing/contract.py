"""The contract of a plugin folder: what a vendor runs over a plugin, and we run over ours.

In a vendor's own repository the whole test is:

    from pathlib import Path
    from gateway.testing.contract import check_plugin

    def test_contract() -> None:
        assert check_plugin(Path(__file__).parent.parent) == []
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import gateway
from gateway.model.link import Link, Sink, Source
from gateway.model.point import Point, SinkPoint

SCALE = (
    "config fully described",
    "sample runs against the simulator",
    "codec fuzzed",
    "reconnect tested",
    "quality mapped both ways",
    "device time used",
    "custody acknowledged to the device",
    "commands answered or refused",
    "time-outs configurable",
    "interop partner named",
)
"""The plugin scale: a line each in the README, done, or exempt with the reason."""

GROUP = "gateway.plugins"
BY_TOOLS = ("build", "dist", "node_modules", "__pycache__")

_INHERITED = frozenset(Link.model_fields) | frozenset(Sink.model_fields)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class _AnySecret(Mapping[str, str]):
    """An environment in which every secret that a sample names is set."""

    def __getitem__(self, name: str) -> str:
        return f"secret of {name}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Broken(Exception):  # noqa: N818 - a rule is broken
    """The rules that follow cannot be checked; the sentence says why."""


def check_plugin(folder: Path) -> list[str]:
    """Return a sentence for each rule that a plugin's folder breaks; an empty list is a pass.

    The plugin must be installed (`pip install -e FOLDER`), because its classes are looked at.
    """
    folder = folder.resolve()
    found: list[str] = []
    rules: tuple[Callable[[Path], Iterator[str]], ...] = (
        check_names,
        check_classes,
        check_imports,
        check_commands,
        check_readme,
        check_sample,
        check_files,
    )
    for rule in rules:
        try:
            found.extend(rule(folder))
        except Broken as broken:
            found.append(str(broken))
    return list(dict.fromkeys(found))


def check_names(folder: Path) -> Iterator[str]:
    """One name everywhere: folder, distribution, package, entry point; and what it depends on."""
    name = folder.name
    if not _NAME.fullmatch(name):
        yield f"folder {name!r}: a plugin's name has lower-case letters, digits and _ only"
    project = _project(folder)
    if project.get("name") != f"grid-gateway-{name}":
        yield (
            f"pyproject.toml: the distribution is {project.get('name')!r}, "
            f"for folder {name!r} it must be 'grid-gateway-{name}'"
        )
    entries = _entries(folder)
    if not entries or set(entries.values()) != {f"gateway_{name}"}:
        yield (
            f"pyproject.toml: the entry points of {GROUP} are {entries}, "
            f"they must be {{{name!r}: 'gateway_{name}'}}, or one for each protocol that it speaks"
        )
    elif len(entries) == 1 and name not in entries:
        yield f"pyproject.toml: the entry point is {next(iter(entries))!r}, it must be {name!r}"
    depends = [
        re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        for requirement in project.get("dependencies", [])
    ]
    if "grid-gateway" not in depends:
        yield f"pyproject.toml: it must depend on grid-gateway; it depends on {depends}"
    for key in ("version", "description", "readme", "license", "requires-python"):
        if key not in project and key not in project.get("dynamic", []):
            yield f"pyproject.toml: project.{key} is missing"
    package = folder / f"gateway_{name}"
    if not (package / "__init__.py").is_file():
        yield f"the package gateway_{name}/__init__.py is missing"
    if not (package / "py.typed").is_file():
        yield f"gateway_{name}/py.typed is missing: the types of the package would not be seen"


def check_classes(folder: Path) -> Iterator[str]:
    """What the hook returns: types, models, descriptions, `run`, the JSON Schema, the logger."""
    name = folder.name
    for link in components(folder):
        label = link.__name__
        if link.__module__.split(".")[0] != f"gateway_{name}":
            yield f"{label} is defined in {link.__module__}, it must be in gateway_{name}"
        yield from _check_type(link, list(_entries(folder)) or [name])
        yield from _check_run(link)
        yield from _check_model(link, label, _INHERITED)
        base = SinkPoint if issubclass(link, Sink) else Point
        if not (inspect.isclass(link.Point) and issubclass(link.Point, base)):
            yield f"{label}.Point must be a subclass of {base.__name__}, it is {link.Point!r}"
        else:
            yield from _check_model(link.Point, f"{label}.Point", frozenset(base.model_fields))
        for model in (link, link.Point):
            try:
                model.model_json_schema()
            except Exception as error:
                yield f"{label}: no JSON Schema can be made of {model.__name__}: {error}"


def check_imports(folder: Path) -> Iterator[str]:
    """Only public names of `gateway` are imported; tests may import `gateway.testing` too."""
    for path in _own(folder, "*.py"):
        inside = path.relative_to(folder)
        yield from foreign_imports(path, str(inside), testing=inside.parts[0] == "tests")


def check_commands(folder: Path) -> Iterator[str]:
    """A source says that it takes commands where it reads them, and nowhere else."""
    takes = [
        link.__name__
        for link in components(folder)
        if issubclass(link, Source) and link.takes_commands
    ]
    package = f"gateway_{folder.name}"
    reads = any(_calls(path, "commands") for path in _own(folder / package, "*.py"))
    if takes and not reads:
        yield (
            f"{takes[0]}.takes_commands is True, but nothing in {package} reads ctx.commands(): "
            "every command would be answered not_supported"
        )
    if reads and not takes:
        yield (
            f"{package} reads ctx.commands(), but none of its sources has takes_commands = True: "
            "`gateway check` would refuse the columns command.… of its points"
        )
    line = re.search(
        r"^.*commands answered or refused\W+exempt\b",
        _read(folder / "README.md"),
        re.MULTILINE | re.IGNORECASE,
    )
    if takes and line is not None:
        yield f"README.md: 'commands answered or refused' is exempt, but {takes[0]} takes commands"


def check_readme(folder: Path) -> Iterator[str]:
    """The README quotes the tested sample, and has each line of the plugin scale."""
    text = _read(folder / "README.md")
    for sample, language in (("sample.yaml", "yaml"), ("sample.csv", "csv")):
        if not (folder / sample).is_file():
            continue
        blocks = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if _read(folder / sample).strip() not in [block.strip() for block in blocks]:
            yield f"README.md: no ```{language} block in it is equal to {sample}"
    for rule in SCALE:
        line = re.search(
            rf"^[ |*-]*{re.escape(rule)}[ |:*–—-]+(done|exempt)\b[ |:,;*()–—-]*(.*?)[ |)]*$",
            text,
            re.MULTILINE | re.IGNORECASE,
        )
        if line is None:
            yield f"README.md: the plugin scale has no line '{rule}: done' or '… exempt, reason'"
        elif line[1].lower() == "exempt" and len(line[2].split()) < 2:
            yield f"README.md: '{rule}' is exempt without a reason"


def check_sample(folder: Path) -> Iterator[str]:
    """`sample.yaml` is a whole gateway that is valid, and names this plugin."""
    # The configuration is loaded as the command line loads it; only this rule needs it.
    from gateway.config import ConfigError, load

    sample = folder / "sample.yaml"
    if not sample.is_file():
        yield "sample.yaml is missing"
        return
    try:
        configuration = load(sample, _AnySecret())
    except ConfigError as error:
        yield f"sample.yaml does not pass `gateway check`:\n{error}"
        return
    links = [*configuration.sources, *configuration.sinks]
    names = _entries(folder)
    if not any(link.type.split(".")[0] in names for link in links):
        yield f"sample.yaml has no link of this plugin: {[link.type for link in links]}"


def check_files(folder: Path) -> Iterator[str]:
    """There are tests, and nothing points to a package index of somebody's own."""
    if not any((folder / "tests").glob("test_*.py")):
        yield "tests/ has no test_*.py"
    for path in _own(folder, "*"):
        if path.suffix not in (".toml", ".cfg", ".txt", ".md", ".yaml", ".py"):
            continue
        if re.search(r"--(extra-)?index-url|index-servers|https?://\S+/simple\b", _read(path)):
            yield f"{path.relative_to(folder)}: names a package index, which its user chooses"


def components(folder: Path) -> list[type[Source] | type[Sink]]:
    """Return the classes that the hook of an installed plugin returns.

    Raises Broken with a sentence where it cannot be imported or the hook is not as it should be.
    """
    package = f"gateway_{folder.name}"
    try:
        module = importlib.import_module(package)
    except Exception as error:
        raise Broken(f"{package} cannot be imported ({error}); is the plugin installed?") from error
    hook = getattr(module, "gateway_components", None)
    if not callable(hook) or not hasattr(hook, f"{gateway.hookspecs.PROJECT}_impl"):
        raise Broken(f"{package} has no gateway_components() decorated with @hookimpl")
    links = list(hook())
    wrong = [x for x in links if not (inspect.isclass(x) and issubclass(x, Source | Sink))]
    if wrong or not links:
        raise Broken(
            f"{package}.gateway_components() must return Source and Sink classes, "
            f"it returned {wrong or 'none'}"
        )
    return links


def foreign_imports(path: Path, label: str, *, testing: bool) -> Iterator[str]:
    """Yield a sentence for each import in a file that goes past the public names of `gateway`."""
    for node in ast.walk(ast.parse(_read(path), str(path))):
        where = f"{label}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("gateway.") and not _may(alias.name, testing):
                    yield f"{where}: imports {alias.name}, which is private"
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            if node.module == "gateway":
                for alias in node.names:
                    if alias.name not in gateway.__all__ and not (
                        testing and alias.name == "testing"
                    ):
                        yield f"{where}: gateway has no public name {alias.name}"
            elif node.module.startswith("gateway.") and not _may(node.module, testing):
                yield f"{where}: imports from {node.module}, which is private"


def _calls(path: Path, method: str) -> bool:
    """Return whether a file calls a method of this name, of whatever object."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
        for node in ast.walk(ast.parse(_read(path), str(path)))
    )


def _own(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files that belong to the plugin, and not those that tools left there."""
    for path in sorted(folder.rglob(pattern)):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(
            part in BY_TOOLS or part.startswith(".") or part.endswith(".egg-info") for part in parts
        ):
            yield path


def _may(module: str, testing: bool) -> bool:
    _, name, *deeper = module.split(".")
    return (name in gateway.__all__ and not deeper) or (testing and name == "testing")


def _entries(folder: Path) -> dict[str, str]:
    """Return the entry points of a plugin: the words that its types begin with, and the package."""
    entries: dict[str, str] = _project(folder).get("entry-points", {}).get(GROUP, {})
    return entries


def _check_type(link: type[Source] | type[Sink], names: Sequence[str]) -> Iterator[str]:
    annotation = link.model_fields["type"].annotation
    words = get_args(annotation) if get_origin(annotation) is Literal else ()
    if len(words) != 1 or not isinstance(words[0], str):
        yield (
            f'{link.__name__}.type must be a Literal of one word: type: Literal["{names[0]}"] = …'
        )
    elif words[0].split(".")[0] not in names:
        allowed = ", ".join(f"'{name}' or begin with '{name}.'" for name in names)
        yield f"{link.__name__}.type is {words[0]!r}, it must be {allowed}"
    elif link.model_fields["type"].default != words[0]:
        yield f"{link.__name__}.type must have its own word as the default"


def _check_run(link: type[Source] | type[Sink]) -> Iterator[str]:
    if inspect.isasyncgenfunction(link.run):
        yield (
            f"{link.__name__}.run is an async generator; it must be a coroutine: a yield inside a "
            "time-out or a task group cancels the wrong task (PEP 789)"
        )
    elif not inspect.iscoroutinefunction(link.run):
        yield f"{link.__name__}.run must be a coroutine function: async def run(self, ctx)"
    elif link.run in (Source.run, Sink.run):
        yield f"{link.__name__} has no run of its own"
    elif len(inspect.signature(link.run).parameters) != 2:
        yield f"{link.__name__}.run must take (self, ctx), it takes {inspect.signature(link.run)}"


def _check_model(model: type[BaseModel], label: str, skip: frozenset[str]) -> Iterator[str]:
    if not model.model_config.get("frozen"):
        yield f"{label} must stay frozen: one configuration may be shared by two connections"
    if model.model_config.get("extra") != "forbid":
        yield f"{label} must stay extra='forbid': a misspelt key would pass unseen"
    for name, field in model.model_fields.items():
        if name in skip:
            continue
        tag = get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
        if not field.description and not tag:
            yield f"{label}.{name} has no description: Annotated[…, Field(description=…)]"
        for group in _groups(field):
            yield from _check_model(group, f"{label}.{name}", frozenset())


def _groups(field: FieldInfo) -> Iterator[type[BaseModel]]:
    pending: list[Any] = [field.annotation]
    while pending:
        annotation = pending.pop()
        if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
            yield annotation
        pending.extend(get_args(annotation))


def _project(folder: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(_read(folder / "pyproject.toml"))
    except tomllib.TOMLDecodeError as error:
        raise Broken(f"pyproject.toml: {error}") from error
    project: dict[str, Any] = document.get("project", {})
    return project


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Broken(f"{path.name} is missing") from error
