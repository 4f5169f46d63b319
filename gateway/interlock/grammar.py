"""The grammar of interlocks, and the tree that an expression stands for.

Imported where the first interlock is parsed, because it brings the parser generator along.
"""

from __future__ import annotations

import math
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken

from gateway.interlock.condition import Flag, Junction, Not, Part, Position, Relation, State, depth
from gateway.interlock.error import InterlockError

_GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction ("or" conjunction)*
?conjunction: negation ("and" negation)*
?negation: "not" negation -> denied
    | "(" disjunction ")"
    | condition
?condition: point -> flag
    | point (EQUALITY | ORDER) NUMBER -> beside_number
    | point (EQUALITY | ORDER) point -> beside_point
    | point EQUALITY POSITION -> position
?point: NAME -> name
    | QUOTED -> quoted

EQUALITY: "=" | "!="
ORDER: "<=" | "<" | ">=" | ">"
POSITION.2: /(open|closed)(?![A-Za-z0-9_.-])/
NUMBER.2: /[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?(?![A-Za-z0-9_.-])/
NAME: /[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*/
QUOTED: /'[^']+'|"[^"]+"/
%ignore /\s+/
"""

_WORDS = {
    "NAME": "a point",
    "NOT": "not",
    "LPAR": "(",
    "NUMBER": "a number",
    "POSITION": "open or closed",
    "EQUALITY": "= or !=",
    "ORDER": "< <= > or >=",
    "AND": "and",
    "OR": "or",
    "RPAR": ")",
    "$END": "the end",
}
"""What can stand somewhere, in the order in which a sentence lists it."""


def tree(text: str) -> Part:
    """Return the tree of an expression; raises InterlockError."""
    try:
        return cast(Part, _PARSER.parse(text))
    except UnexpectedToken as error:
        at = error.token.start_pos
        ends = at is None or error.token.type == "$END"
        raise InterlockError(len(text) + 1 if ends else at + 1, _unexpected(error)) from None
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        raise InterlockError(at + 1, _strange(text[at])) from None


class _Tree(Transformer[Token, Part]):
    """Builds the parts while the text is parsed."""

    def name(self, children: list[Token]) -> str:
        return str(children[0])

    def quoted(self, children: list[Token]) -> str:
        return str(children[0][1:-1])

    def flag(self, children: list[str]) -> Part:
        return Flag(children[0])

    def beside_number(self, children: list[Any]) -> Part:
        point, relation, number = children
        value = float(number)
        if not math.isfinite(value):
            raise InterlockError(
                number.start_pos + 1, f"found {_cut(number)}, allowed: finite numbers"
            )
        return Relation(point, str(relation), value)

    def beside_point(self, children: list[Any]) -> Part:
        point, relation, other = children
        return Relation(point, str(relation), other)

    def position(self, children: list[Any]) -> Part:
        point, relation, word = children
        return Position(point, str(relation), State[word.upper()])

    def denied(self, children: list[Part]) -> Part:
        return Not(children[0], depth(children[0]) + 1)

    def conjunction(self, children: list[Part]) -> Part:
        return Junction(tuple(children), True, 1 + max(map(depth, children)))

    def disjunction(self, children: list[Part]) -> Part:
        return Junction(tuple(children), False, 1 + max(map(depth, children)))


_PARSER = Lark(
    _GRAMMAR, parser="lalr", lexer="basic", transformer=_Tree(), propagate_positions=False
)


def _unexpected(error: UnexpectedToken) -> str:
    token = error.token
    accepts = error.accepts or error.expected
    allowed = [word for name, word in _WORDS.items() if name in accepts]
    rule = f"allowed: {', '.join(allowed)}"
    if token.type == "$END":
        if accepts == {"RPAR"}:
            return "the expression ends here, but a ( is never closed"
        return f"the expression ends here, {rule}"
    if token.type == "RPAR" and accepts == {"$END"}:
        return "found ')', but no ( before it is open"
    hint = ""
    if token.lower() in allowed:
        hint = f"; did you mean '{token.lower()}'?"
    elif "NAME" in accepts and token.type not in ("RPAR", "EQUALITY", "ORDER"):
        hint = f"; put quotes around it where the point '{token}' is meant"
    return f"found {_cut(token)}, {rule}{hint}"


def _strange(character: str) -> str:
    if character in "'\"":
        return "found a quote that is never closed, or with nothing in it"
    return (
        f"found {character!r}, allowed: points, numbers, open, closed, not, and, or, "
        "= != < <= > >= and parentheses"
    )


def _cut(text: str, limit: int = 60) -> str:
    return repr(str(text) if len(text) <= limit else text[: limit - 1] + "…")
