"""The plugin host: what is found, what is imported, and each mistake a vendor can make."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from gateway import Point, Sink, SinkContext, SinkPoint, Source, SourceContext, hookimpl
from gateway.host import Host, PluginError, installed


class Good(Source):
    type: Literal["acme"]

    async def run(self, ctx: SourceContext) -> None: ...


class GoodSink(Sink):
    type: Literal["acme.out", "acme.spare"]

    async def run(self, ctx: SinkContext) -> None: ...


def plugin(*classes: Any) -> object:
    """Return a plugin whose hook returns these."""

    @hookimpl
    def gateway_components() -> Any:
        return list(classes)

    return SimpleNamespace(gateway_components=gateway_components)


def refusal(returned: object) -> str:
    with pytest.raises(PluginError) as raised:
        Host({"acme": returned}).load("acme")
    return str(raised.value)


def test_a_good_plugin() -> None:
    """The classes are known by the words of their types."""
    host = Host({"acme": plugin(Good, GoodSink)})

    assert [one.types for one in host.load("acme").components] == [
        ("acme",),
        ("acme.out", "acme.spare"),
    ]
    assert host.component("acme.spare").cls is GoodSink
    assert host.component("acme").is_source
    assert not host.component("acme.out").is_source
    with pytest.raises(KeyError):
        host.component("acme.in")


def test_a_hook_that_yields() -> None:
    """The hook may be a generator; its classes are an iterable like any other."""

    @hookimpl
    def gateway_components() -> Iterator[type[Source]]:
        yield Good

    assert (
        len(
            Host({"acme": SimpleNamespace(gateway_components=gateway_components)})
            .load("acme")
            .components
        )
        == 1
    )


class Mistakes:
    """Each is what a vendor could write, with what the sentence must name."""

    class NoType(Source):
        async def run(self, ctx: SourceContext) -> None: ...

    class OtherType(Source):
        type: Literal["emca"]

        async def run(self, ctx: SourceContext) -> None: ...

    class Prefix(Source):
        type: Literal["acmeplus"]

        async def run(self, ctx: SourceContext) -> None: ...

    class NoRun(Source):
        type: Literal["acme"]

    class Generator(Source):
        type: Literal["acme"]

        async def run(self, ctx: SourceContext) -> AsyncIterator[int]:  # type: ignore[override]
            yield 1

    class Plain(Source):
        type: Literal["acme"]

        def run(self, ctx: SourceContext) -> None: ...  # type: ignore[override]

    class NoContext(Source):
        type: Literal["acme"]

        async def run(self) -> None: ...  # type: ignore[override]

    class Both(Source, Sink):  # type: ignore[misc]
        type: Literal["acme"]

        async def run(self, ctx: Any) -> None: ...

    class Loose(Source):
        model_config = ConfigDict(extra="ignore")
        type: Literal["acme"]

        async def run(self, ctx: SourceContext) -> None: ...

    class Thawed(Source):
        model_config = ConfigDict(frozen=False)
        type: Literal["acme"]

        async def run(self, ctx: SourceContext) -> None: ...

    class WrongPoint(Source):
        class Own(BaseModel):
            register: int

        Point = Own  # type: ignore[assignment]
        type: Literal["acme"]

        async def run(self, ctx: SourceContext) -> None: ...

    class SourcePoint(Sink):
        Point: ClassVar[type[Point]] = Point  # type: ignore[assignment]
        type: Literal["acme"]

        async def run(self, ctx: SinkContext) -> None: ...

    class NoSchema(Source):
        type: Literal["acme"]
        call: Callable[[], int]

        async def run(self, ctx: SourceContext) -> None: ...

    class Again(Source):
        type: Literal["acme"]

        async def run(self, ctx: SourceContext) -> None: ...


@pytest.mark.filterwarnings("ignore:Field name")
@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ([Mistakes.NoType], "NoType needs a `type` field with its word in the YAML: type: Literal"),
        ([Mistakes.OtherType], "OtherType has the type 'emca', allowed: 'acme' or 'acme.…'"),
        ([Mistakes.Prefix], "Prefix has the type 'acmeplus', allowed: 'acme' or 'acme.…'"),
        ([Mistakes.NoRun], "NoRun has no run(self, ctx)"),
        ([Mistakes.Generator], "Generator.run is an async generator, because it has a yield"),
        (
            [Mistakes.Plain],
            "Plain.run is not a coroutine: begin it with `async def run",
        ),
        ([Mistakes.NoContext], "NoContext.run takes (self) -> 'None', allowed: (self, ctx)"),
        ([Mistakes.Both], "Both derives from both Source and Sink; make two classes of it"),
        ([Mistakes.Loose], "Loose has model_config extra other than 'forbid'"),
        ([Mistakes.Thawed], "Thawed is not frozen"),
        ([Mistakes.WrongPoint], "WrongPoint.Point is "),
        ([Mistakes.SourcePoint], "allowed: a class that derives from SinkPoint"),
        ([Mistakes.NoSchema], "NoSchema has a field that JSON Schema cannot describe"),
        ([Good, Mistakes.Again], "Again and Good both have the type 'acme'; each class needs its"),
        ([int], "which is not a class that derives from Source or Sink"),
        ([Good(name="g", type="acme")], "it is an instance: return the class"),
        ([], "gateway_components() returned no classes"),
    ],
)
def test_classes_that_break_the_contract(returned: list[object], sentence: str) -> None:
    """The sentence names the class and what the contract wants of it."""
    found = refusal(plugin(*returned))

    assert found.startswith("plugin 'acme' (handed in): ")
    assert sentence in found


class Returns:
    """A plugin whose hook returns one thing."""

    def __init__(self, what: object) -> None:
        self.what = what

    @hookimpl
    def gateway_components(self) -> Any:
        return self.what


class Raises:
    @hookimpl
    def gateway_components(self) -> Any:
        raise RuntimeError("no licence")


class RaisesLater:
    @hookimpl
    def gateway_components(self) -> Any:
        yield Good
        raise RuntimeError("no licence")


class Takes:
    @hookimpl
    def gateway_components(self, configuration: object) -> Any:
        return [Good]


class Unmarked:
    def gateway_components(self) -> Any:
        return [Good]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Returns(Good), "allowed: a list of classes"),
        (Returns(None), "gateway_components() returned None, allowed: a list of classes"),
        (Returns(5), "gateway_components() returned 5, allowed: a list of classes"),
        (Raises(), "gateway_components() raised RuntimeError: no licence ("),
        (RaisesLater(), "gateway_components() raised RuntimeError: no licence ("),
        (Takes(), "its hook does not fit: "),
        (Unmarked(), "has no hook: write a function gateway_components() with @hookimpl"),
        (SimpleNamespace(), "has no hook: write a function gateway_components() with @hookimpl"),
    ],
)
def test_hooks_that_break_the_contract(found: object, sentence: str) -> None:
    """The sentence says what the hook did and what it should."""
    assert sentence in refusal(found)


# Distributions on the path -----------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path, for distributions as pip would install them."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("gateway_vendor"):
            del sys.modules[name]


def distribute(site: Path, name: str, code: str, distribution: str = "", direct: str = "") -> str:
    """Write a package `gateway_vendor_<name>` and the metadata of its distribution."""
    package = f"gateway_vendor_{name}"
    (site / package).mkdir(exist_ok=True)
    (site / package / "__init__.py").write_text(code)
    distribution = distribution or f"grid-gateway-{name}"
    info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[gateway.plugins]\n{name} = {package}\n")
    if direct:
        (info / "direct_url.json").write_text(direct)
    return package


GOOD = """\
from typing import Literal
from gateway import Source, hookimpl

class Vendor(Source):
    type: Literal["NAME"]
    async def run(self, ctx): ...

@hookimpl
def gateway_components():
    return [Vendor]
"""


def test_installed_plugins_are_found_without_being_imported(site: Path) -> None:
    """Name, distribution, version and folder are read from metadata; no code of a plugin runs."""
    package = distribute(site, "alpha", "raise SystemExit('imported')")
    one = next(one for one in installed() if one.name == "alpha")

    assert (one.distribution, one.version) == ("grid-gateway-alpha", "1.2")
    assert (one.location, one.editable) == (site, False)
    assert package not in sys.modules


def test_an_editable_plugin(site: Path) -> None:
    """An editable distribution is where its sources are (PEP 610)."""
    distribute(
        site,
        "beta",
        GOOD,
        direct='{"url": "file:///home/me/my%20meter", "dir_info": {"editable": true}}',
    )
    one = next(one for one in installed() if one.name == "beta")

    assert (one.location, one.editable) == (Path("/home/me/my meter"), True)


def test_only_what_is_asked_for_is_imported(site: Path) -> None:
    """A plugin that fails when it is imported stops only those who name it."""
    good = distribute(site, "gamma", GOOD.replace("NAME", "gamma"))
    bad = distribute(site, "delta", "import a_library_that_nobody_has\n")
    host = Host()

    assert {"gamma", "delta"} <= set(host.names())
    assert host.component("gamma").types == ("gamma",)
    assert good in sys.modules
    assert bad not in sys.modules
    with pytest.raises(PluginError) as raised:
        host.load("delta")
    sentence = str(raised.value)
    assert sentence.startswith(
        f"plugin 'delta' (grid-gateway-delta 1.2 in {site}): ".replace(
            "): ", ") cannot be imported: "
        )
    )
    assert "ModuleNotFoundError: No module named 'a_library_that_nobody_has'" in sentence
    assert f"{site}/{bad}/__init__.py, line 1" in sentence


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("x = (\n", "SyntaxError: '(' was never closed ("),
        ("raise SystemExit(3)\n", "SystemExit: 3 ("),
        ("1 / 0\n", "ZeroDivisionError: division by zero ("),
    ],
)
def test_whatever_an_import_raises(site: Path, code: str, sentence: str) -> None:
    """Syntax errors and exits are sentences like any other error."""
    distribute(site, "epsilon", code)

    with pytest.raises(PluginError) as raised:
        Host().load("epsilon")
    assert sentence in str(raised.value)
    assert "line 1)" in str(raised.value)


def test_an_entry_point_to_nothing(site: Path) -> None:
    """A distribution whose package is gone is told with its name."""
    package = distribute(site, "zeta", GOOD)
    (site / package / "__init__.py").unlink()
    (site / package).rmdir()

    with pytest.raises(PluginError, match=r"grid-gateway-zeta 1\.2 in .* cannot be imported"):
        Host().load("zeta")


def test_one_hook_for_several_protocols(site: Path) -> None:
    """A plugin with several entry points has under each the classes whose type begins with it."""
    code = GOOD.replace("NAME", "theta1.in").replace("[Vendor]", "[Vendor, Second]")
    second = 'class Second(Vendor):\n    type: Literal["theta2"]\n\n@hookimpl'
    package = distribute(site, "theta1", code.replace("@hookimpl", second))
    info = site / "grid_gateway_theta1-1.2.dist-info" / "entry_points.txt"
    info.write_text(
        f"[gateway.plugins]\ntheta1 = {package}\ntheta2 = {package}\ntheta3 = {package}\n"
    )
    host = Host()

    assert [one.types for one in host.load("theta1").components] == [("theta1.in",)]
    assert [one.types for one in host.load("theta2").components] == [("theta2",)]
    with pytest.raises(PluginError, match=r"no class whose type is 'theta3' or 'theta3\.…'"):
        host.load("theta3")


def test_two_distributions_with_one_name(site: Path) -> None:
    """Nobody guesses which of two distributions is meant; both are named."""
    distribute(site, "eta", GOOD)
    distribute(site, "eta", GOOD, distribution="another-eta")

    with pytest.raises(PluginError) as raised:
        Host().load("eta")
    assert "grid-gateway-eta 1.2" in str(raised.value)
    assert "another-eta 1.2" in str(raised.value)


def test_a_plugin_that_is_not_there() -> None:
    """Asking for what is not installed is an error, the same each time."""
    host = Host()

    for _ in range(2):
        with pytest.raises(PluginError, match="plugin 'nobody' is not installed"):
            host.load("nobody")


def test_a_point_model_of_a_sink_is_checked() -> None:
    """A sink's own point model keeps the column that every sink has."""

    class OwnPoint(SinkPoint):
        index: int

    class Own(Sink):
        Point = OwnPoint
        type: Literal["acme"]

        async def run(self, ctx: SinkContext) -> None: ...

    (component,) = Host({"acme": plugin(Own)}).load("acme").components
    assert list(component.cls.Point.model_fields) == ["keep", "index"]
