"""What a JSON Schema allows, and what pydantic refused, in the words of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from gateway.config.problem import did_you_mean, listing
from gateway.model.fields import seconds_text
from gateway.model.link import LINK_NAME

Schema: TypeAlias = Mapping[str, Any]

_PATTERNS = {
    f"^{LINK_NAME}$": "a name of small letters, digits, - and _ that begins with a letter",
}
_FORMATS = {
    "path": "a path",
    "file-path": "the path of a file",
    "directory-path": "the path of a folder",
    "password": "{env: NAME} or {file: PATH}",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "uri": "a URI",
    "date-time": "a date and time such as 2026-01-31T12:00:00Z",
    "date": "a date such as 2026-01-31",
    "uuid": "a UUID",
}
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("of at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("of at most", "le"),
}


def branches(schema: Schema, root: Schema) -> list[Schema]:
    """Return the alternatives that a schema stands for, references and unions resolved."""
    found: list[Schema] = []
    todo: list[Schema] = [schema]
    seen: set[str] = set()
    while todo:
        one = todo.pop(0)
        reference = one.get("$ref")
        if reference is not None:
            if reference not in seen:
                seen.add(reference)
                todo.insert(0, root["$defs"][reference.rsplit("/", 1)[-1]])
            continue
        parts = [*one.get("anyOf", ()), *one.get("oneOf", ()), *one.get("allOf", ())]
        if parts:
            todo[:0] = parts
        else:
            found.append(one)
    return found


def words_of(schemas: Iterable[Schema]) -> list[str]:
    """Return the words that schemas list one by one: enumerations and constants."""
    words: list[str] = []
    for schema in schemas:
        values = [schema["const"]] if "const" in schema else schema.get("enum", ())
        words += [value for value in values if isinstance(value, str)]
    return words


def allowed(schemas: Iterable[Schema], root: Schema) -> str:
    """Return what alternatives of a schema allow: `a whole number from 1 to 65535 or nothing`."""
    phrases: list[str] = []
    words: list[str] = []
    for schema in schemas:
        some = words_of([schema])
        words += [word for word in some if word not in words]
        phrase = "" if some else _phrase(schema, root)
        if phrase and phrase not in phrases:
            phrases.append(phrase)
    if words:
        phrases.insert(0, listing(words))
    if len(phrases) > 1:
        phrases = [phrase for phrase in phrases if phrase != "nothing"]
    return " or ".join(phrases) or "something else"


def _phrase(schema: Schema, root: Schema) -> str:
    if "enum" in schema or "const" in schema:
        return listing(str(value) for value in schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "string":
            return _text(schema)
        case "integer":
            return "a whole number" + _range(schema)
        case "number":
            return "a number" + _range(schema)
        case "boolean":
            return "true or false"
        case "null":
            return "nothing"
        case "array":
            items = schema.get("items") or next(iter(schema.get("prefixItems", ())), None)
            of = f" of {allowed(branches(items, root), root)}" if items else ""
            return _count("a list", schema, "minItems", "maxItems", "items") + of
        case "object":
            keys = list(schema.get("properties", ()))
            return f"a mapping with the keys {listing(keys)}" if keys else "a mapping"
    return ""


def _text(schema: Schema) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if schema.get("examples"):
        return f"text such as {schema['examples'][0]}"
    if schema.get("pattern") in _PATTERNS:
        return _count(_PATTERNS[schema["pattern"]], schema, "minLength", "maxLength", "characters")
    text = _count("text", schema, "minLength", "maxLength", "characters")
    if schema.get("minLength") == 1 and "maxLength" not in schema:
        text = "text that is not empty"
    pattern = schema.get("pattern", "")
    choice = pattern[2:-2]
    if pattern == f"^({choice})$" and choice.replace("|", "").replace("_", "").isalnum():
        return listing(choice.split("|"))
    return f"{text} that matches {pattern}" if pattern else text


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        text = f" from {low:g} to {high:g}" if high < 1e6 else f" from {low} to {high}"
    else:
        bounds = []
        if low is not None:
            bounds.append(f"of at least {low}")
        if above is not None:
            bounds.append(f"above {above}")
        if high is not None:
            bounds.append(f"of at most {high}")
        if below is not None:
            bounds.append(f"below {below}")
        text = " " + " and ".join(bounds) if bounds else ""
    step = schema.get("multipleOf")
    return text + (f" that is a multiple of {step}" if step is not None else "")


def _count(what: str, schema: Schema, least: str, most: str, unit: str) -> str:
    low, high = schema.get(least), schema.get(most)
    if low is not None and high is not None:
        return f"{what} ({low} to {high} {unit})"
    if low is not None:
        return f"{what} (at least {low} {unit})"
    return f"{what} (at most {high} {unit})" if high is not None else what


def nearest(found: object, schemas: Iterable[Schema]) -> str:
    """Return `; did you mean 'x'?` where a schema lists a word near the one found."""
    return did_you_mean(found, words_of(schemas)) if isinstance(found, str) else ""


def raised(error: Mapping[str, Any]) -> str | None:
    """Return the sentence that a validator of the field itself gave, or None for pydantic's own."""
    if error["type"] in ("value_error", "assertion_error"):
        cause = error.get("ctx", {}).get("error")
        return str(cause) if cause is not None and str(cause) else str(error["msg"])
    if "url" in error or str(error["msg"]).startswith("Input "):
        return None
    return str(error["msg"])


def bound(error: Mapping[str, Any], schemas: Iterable[Schema]) -> str:
    """Return `a duration of at most 1h` for one that is beyond; its schema cannot say it."""
    if error["type"] not in _BOUNDS or all(one.get("type") != "string" for one in schemas):
        return ""
    word, key = _BOUNDS[error["type"]]
    return f"a duration {word} {seconds_text(float(error['ctx'][key]))}"


def plain(message: str) -> str:
    """Return pydantic's message for a place that no schema describes, in our form."""
    for prefix in ("Input should be a valid ", "Input should be "):
        if message.startswith(prefix):
            return f"allowed: {message.removeprefix(prefix)}"
    return message[:1].lower() + message[1:]


def keys_of(schemas: Iterable[Schema]) -> Iterator[str]:
    """Yield the keys that alternatives of a mapping name."""
    for schema in schemas:
        yield from schema.get("properties", ())
