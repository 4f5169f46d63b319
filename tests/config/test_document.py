"""The YAML tree: positions against a table, and what is refused."""

from __future__ import annotations

import pytest
import yaml

from gateway.config import document
from gateway.config.document import MAX_DEPTH, Mapping, Scalar, Sequence


@pytest.fixture(autouse=True, params=["CSafeLoader", "SafeLoader"])
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers: libyaml's, and the one in Python where that is missing."""
    monkeypatch.setattr(document, "_LOADER", getattr(yaml, request.param))


def parsed(text: str) -> tuple[document.Node | None, list[tuple[int, int, str]]]:
    problems: list[tuple[int, int, str]] = []
    node = document.parse(text, lambda line, column, what: problems.append((line, column, what)))
    return node, problems


def plain(node: document.Node | None) -> object:
    if isinstance(node, Mapping):
        return {key: plain(value) for key, (_, value) in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value if node is not None else None


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: [x, 'y', \"z\"]\nc: {d: true, e: null, f: 1.5, g: ~}\n",
        "- a\n- - b\n  - c\n- {}\n- []\n",
        "a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\nf: {<<: [{c: 9}, *x]}\n",
        "text: |\n  two\n  lines\nfolded: >\n  one\n  line\n",
        "big: 123_456\nhex: 0x1F\nneg: -5\nexp: 1.5e+3\n",
        "yes_text: 'yes'\nyes: 5\n".replace("yes: 5", "'yes': 5"),
        "just text",
        "",
    ],
)
def test_reads_what_pyyaml_reads(text: str) -> None:
    """Documents without our refusals mean what PyYAML's own safe loader says they mean."""
    node, problems = parsed(text)

    assert problems == []
    assert plain(node) == yaml.safe_load(text)


def test_nodes_know_their_places() -> None:
    """Lines and columns count from 1, in characters, as counted by hand."""
    node, _ = parsed("a: 1\nbß: {c: [x, yy]}\nd:\n  - e: 'q'\n")

    assert isinstance(node, Mapping)
    second = node.entries["bß"]
    assert (second[0].line, second[0].column) == (2, 1)
    inner = second[1]
    assert isinstance(inner, Mapping)
    items = inner.entries["c"][1]
    assert isinstance(items, Sequence)
    assert [(item.line, item.column) for item in items.items] == [(2, 10), (2, 13)]
    third = node.entries["d"][1]
    assert isinstance(third, Sequence)
    assert (third.items[0].line, third.items[0].column) == (4, 5)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a:\n\tb: 1\n", (2, 1), "found a tab, allowed: YAML is indented with spaces only"),
        ("a: b: c\n", (1, 5), "look at the indentation, or put quotes around the text"),
        ("a: 'x\n", (2, 1), "a text whose quote is never closed"),
        ("a: [1,\n", (2, 1), "this is not YAML"),
        ("a: {b: 1\nc: 2\n", (2, 2), "a '{' is never closed, or a ',' is missing"),
        ("a: @x\n", (1, 4), "found '@' at the beginning of a value: put quotes around the text"),
        ("a: 1\na: 2\n", (2, 1), "found the key 'a' again, first in line 1"),
        ("1: x\n", (1, 1), "found the key 1, which YAML reads as 1, allowed: text (in quotes)"),
        ("on: x\n", (1, 1), "found the key on, which YAML reads as true"),
        ("? [a]\n: b\n", (1, 3), "found a list or mapping as a key, allowed: text"),
        ("a: *b\n", (1, 4), "found the alias *b, but no anchor &b before"),
        ("a: &x [1, *x]\n", (1, 11), "the alias *x stands inside its own anchor"),
        ("a: {<<: 5}\n", (1, 9), "allowed: an alias of a mapping"),
        ("a: 12:30\n", (1, 4), "a number in base 60: write '12:30' with quotes"),
        ("a: 0123\n", (1, 4), "an octal number"),
        ("a: .inf\n", (1, 4), "allowed: finite numbers"),
        ("a: 99999999999999999999\n", (1, 4), "allowed: numbers of up to 64 bits"),
        ("a: !!python/name:os.system x\n", (1, 4), "allowed: no tags"),
        ("a: !x {}\n", (1, 4), "allowed: no tags"),
        ("a: !!int abc\n", (1, 4), "which YAML cannot read"),
        ("a: 1\n---\nb: 2\n", (2, 1), "found a second document ('---'), allowed: one"),
        ("a: \x01\n", (1, 4), "found the control character '\\x01', allowed: text"),
        ("%YAML 9.9\n---\na: 1\n", (1, 1), "this is not YAML"),
    ],
)
def test_refusals(text: str, place: tuple[int, int], words: str) -> None:
    """What is refused is named at its place, counted by hand in the text."""
    _, problems = parsed(text)

    assert [(line, column) for line, column, _ in problems] == [place]
    assert words in problems[0][2]


def test_a_file_of_brackets() -> None:
    """Nesting ends in a sentence long before it would end in a stack overflow."""
    _, problems = parsed("[" * 100_000)

    assert problems == [(1, MAX_DEPTH + 1, f"nested deeper than {MAX_DEPTH} levels")]


def test_depth_through_aliases() -> None:
    """A chain of aliases is as deep as what it stands for."""
    text = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 100))
    _, problems = parsed(text)

    assert problems == [(50, 6, f"nested deeper than {MAX_DEPTH} levels")]


def test_a_billion_laughs() -> None:
    """Aliases that unfold without bound are refused without unfolding them."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    _, problems = parsed("\n".join(lines))

    # 10 values in a0, ten times as many in each line below: over a million in a5, line 6.
    assert [(line, column) for line, column, _ in problems] == [(6, 5)]
    assert "unfold to more than 1000000 values" in problems[0][2]


def test_merge_keys_without_bound() -> None:
    """Merge keys are bounded as aliases are."""
    base = "a: &a {" + ", ".join(f"k{i}: 1" for i in range(2_000)) + "}\n"
    _, problems = parsed(base + "".join(f"b{i}: {{<<: *a}}\n" for i in range(600)))

    assert len(problems) == 1
    assert "unfold to more than 1000000 values" in problems[0][2]


def test_found_words() -> None:
    """A sentence shows what the file has, and says what YAML makes of it."""
    node, _ = parsed("[on, 'on', 5, ~, {}, [], 1.50, " + "x" * 100 + "]")

    assert isinstance(node, Sequence)
    words = [document.found(item) for item in node.items]
    assert words[:-1] == [
        "on without quotes, which YAML reads as true",
        "'on'",
        "5",
        "nothing",
        "a mapping",
        "a list",
        "1.50",
    ]
    assert words[-1] == "'" + "x" * 59 + "…'"
    assert isinstance(node.items[0], Scalar)
