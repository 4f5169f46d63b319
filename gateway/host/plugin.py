"""One plugin: its hook called, and what it returned held against the contract."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pluggy
from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from gateway import hookspecs
from gateway.model.errors import GatewayError
from gateway.model.link import Sink, Source
from gateway.model.point import Point, SinkPoint

HOOK = "gateway_components"


class PluginError(GatewayError):
    """A plugin cannot be used; the sentence says which, from where, and why."""


@dataclass(frozen=True)
class Component:
    """A source or sink class of a plugin, with the words that `type` has for it in the YAML."""

    plugin: str
    cls: type[Source] | type[Sink]
    types: tuple[str, ...]

    @property
    def is_source(self) -> bool:
        return issubclass(self.cls, Source)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the class, names as in the YAML."""
        return self.cls.model_json_schema()


@dataclass(frozen=True)
class Plugin:
    """A plugin that fulfils the contract; `origin` says which distribution it came from."""

    name: str
    origin: str
    components: tuple[Component, ...] = field(default=())


def verify(name: str, plugin: object, origin: str, names: Collection[str] = ()) -> Plugin:
    """Call the hook of a plugin and return what it is made of.

    names: all entry points that lead to the same hook, where a plugin speaks several protocols;
           each has the classes whose `type` begins with it.

    Raises PluginError with a sentence for whatever is not as the contract says.
    """

    def error(sentence: str) -> PluginError:
        return PluginError(f"plugin '{name}' ({origin}): {sentence}")

    # A manager for each plugin: pluggy calls the hook of all that are registered,
    # and one plugin's failure is nobody else's.
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name)
    except (pluggy.PluginValidationError, ValueError) as cause:
        raise error(f"its hook does not fit: {cause}") from cause
    if not manager.hook.gateway_components.get_hookimpls():
        raise error(
            f"has no hook: write a function {HOOK}() with @hookimpl from gateway above it "
            "into what its entry point names"
        )
    try:
        results = manager.hook.gateway_components()
        returned = results[0] if results else None
        if isinstance(returned, type) or not isinstance(returned, Iterable):
            raise error(f"{HOOK}() returned {returned!r}, allowed: a list of classes")
        classes = list(returned)
    except PluginError:
        raise
    except Exception as cause:
        raise error(f"{HOOK}() raised {described(cause)}") from cause
    if not classes:
        raise error(f"{HOOK}() returned no classes")
    components: list[Component] = []
    seen: dict[str, str] = {}
    for cls in classes:
        try:
            component = _component(name, cls, {name, *names})
            for word in component.types:
                if word in seen:
                    raise ValueError(
                        f"{cls.__name__} and {seen[word]} both have the type {word!r}; "
                        "each class needs its own"
                    )
                seen[word] = cls.__name__
        except ValueError as cause:
            raise error(str(cause)) from cause
        components.append(component)
    own = tuple(one for one in components if one.types[0].partition(".")[0] == name)
    if not own:
        raise error(f"{HOOK}() returned no class whose type is '{name}' or '{name}.…'")
    return Plugin(name, origin, own)


def described(error: BaseException) -> str:
    """Return an exception as `ImportError: No module named 'x' (…/file.py, line 3)`."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename}, line {error.lineno})"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and not _is_host(frame.filename)
    ]
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _is_host(filename: str) -> bool:
    path = Path(filename)
    return path.parent == Path(__file__).parent or path.parent.name == "pluggy"


def _component(name: str, cls: object, names: Collection[str]) -> Component:
    if not isinstance(cls, type) or not issubclass(cls, (Source, Sink)):
        hint = ""
        if isinstance(cls, (Source, Sink)):
            hint = "; it is an instance: return the class"
        raise ValueError(
            f"{HOOK}() returned {cls!r}, which is not a class that derives from "
            f"Source or Sink{hint}"
        )
    label = cls.__name__
    if issubclass(cls, Source) and issubclass(cls, Sink):
        raise ValueError(f"{label} derives from both Source and Sink; make two classes of it")
    types = _types(cls, sorted(names))
    _check_run(cls)
    _check_model(label, cls)
    _check_point(cls)
    component = Component(name, cls, types)
    try:
        _ = component.schema
    except Exception as error:
        raise ValueError(
            f"{label} has a field that JSON Schema cannot describe (give its type a "
            f"WithJsonSchema): {described(error)}"
        ) from error
    return component


def _types(cls: type[Source] | type[Sink], names: Sequence[str]) -> tuple[str, ...]:
    annotation = cls.model_fields["type"].annotation
    types = get_args(annotation) if get_origin(annotation) is Literal else ()
    if not types or not all(isinstance(word, str) for word in types):
        raise ValueError(
            f"{cls.__name__} needs a `type` field with its word in the YAML: "
            f'type: Literal["{names[0]}"]'
        )
    for word in types:
        if word.partition(".")[0] not in names:
            allowed = ", ".join(f"'{name}' or '{name}.…'" for name in names)
            raise ValueError(
                f"{cls.__name__} has the type {word!r}, allowed: {allowed}, "
                "because the first word names the plugin"
            )
    return types


def _check_run(cls: type[Source] | type[Sink]) -> None:
    run = cls.run
    label = cls.__name__
    if run is Source.run or run is Sink.run:
        raise ValueError(f"{label} has no run(self, ctx)")
    if inspect.isasyncgenfunction(run):
        raise ValueError(
            f"{label}.run is an async generator, because it has a yield; "
            "allowed: a coroutine, which hands samples to ctx.emit"
        )
    if not inspect.iscoroutinefunction(run):
        raise ValueError(
            f"{label}.run is not a coroutine: begin it with `async def run(self, ctx)`"
        )
    try:
        inspect.signature(run).bind(None, None)
    except TypeError:
        raise ValueError(
            f"{label}.run takes {inspect.signature(run)}, allowed: (self, ctx)"
        ) from None


def _check_model(label: str, cls: type[BaseModel]) -> None:
    if cls.model_config.get("extra") != "forbid":
        raise ValueError(f"{label} has model_config extra other than 'forbid': typos would pass")
    if not cls.model_config.get("frozen"):
        raise ValueError(f"{label} is not frozen: a link's fields are its configuration")
    try:
        cls.model_rebuild()
    except (PydanticUserError, NameError) as error:
        raise ValueError(f"{label} cannot be built: {error}") from error


def _check_point(cls: type[Source] | type[Sink]) -> None:
    point: object = cls.Point
    needed = SinkPoint if issubclass(cls, Sink) else Point
    label = f"{cls.__name__}.Point"
    if not isinstance(point, type) or not issubclass(point, needed):
        raise ValueError(
            f"{label} is {point!r}, allowed: a class that derives from {needed.__name__}"
        )
    _check_model(label, point)
