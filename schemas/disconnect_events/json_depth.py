"""JSON that is nested deeper than a parser's stack: checked token by token, and cut short.

Parsers are recursive and give up after some hundred levels. Here the open brackets are a list, so
nothing that is refused depends on the machine, and a mebibyte of brackets costs half a second.
"""

import re

# Each value is one token: a text, a number, a word; so is each bracket, comma and colon.
_TOKEN = re.compile(
    r"[ \t\n\r]*+(?:([\[{\]},:])"
    r'|("(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    r"|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)"
)
_TEXT, _SCALAR = "text", "scalar"

# By what came last: what may come next, and what that makes of what came last.
_VALUES = {"[": "[", "{": "{", _TEXT: "item", _SCALAR: "item"}
_NEXT: dict[str, dict[str, str]] = {
    "start": {"[": "[", "{": "{"},
    "[": {**_VALUES, "]": "item"},
    "{": {_TEXT: "key", "}": "item"},
    "key": {":": ":"},
    ":": _VALUES,
    ", in [": _VALUES,
    ", in {": {_TEXT: "key"},
    "item": {",": ",", "]": "item", "}": "item"},
}
_CLOSES = {"]": "[", "}": "{"}


class BrokenNesting(ValueError):
    """It is no JSON; says at which character."""


def without_deep_values(text: str, levels: int) -> str:
    """Return the text with null for each list and object that lies deeper than so many levels.

    Args:
        text: a list or an object, which a parser found too deep.
        levels: that are kept.

    Raises:
        BrokenNesting: a bracket, comma or colon is not where it belongs, or some value is none.
    """
    kept: list[str] = []
    brackets: list[str] = []
    last, place, kept_to = "start", 0, 0
    while (match := _TOKEN.match(text, place)) is not None:
        sign = match[1] or (_TEXT if match[2] else _SCALAR)
        last = _NEXT[last].get(sign, "")
        place = match.end()
        if sign in _VALUES and sign == last:
            brackets.append(sign)
            if len(brackets) == levels + 1:
                kept.append(text[kept_to : place - 1])
        elif sign in _CLOSES:
            if not last or brackets.pop() != _CLOSES[sign]:
                break
            if len(brackets) == levels:
                kept.append("null")
                kept_to = place
            if not brackets:
                return "".join((*kept, text[kept_to:]))
        elif sign == ",":
            last = last and f", in {brackets[-1]}"
        if not last:
            break
    raise BrokenNesting(f"character {place + 1}")
