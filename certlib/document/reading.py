"""What a face must read: the whole text of its pages, made from the template's `reads` and the facts.

`reads` lists the page's text in reading order. `{key}` stands for a fact, `{key:numbered}` for a list with its
numbers, `{key:rows}` for a table with a number before each line, `{text:key}` for one of the template's own texts,
`{title}` `{issuer}` `{issued_on}` `{copy}` `{serial}` `{caption}` for what the face itself carries. An entry that
begins with `?` is left out when anything in it is empty. White space counts nowhere: lines break where the page wants
them to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from certlib.document.face import Face
from certlib.document.templates import Layout, Template

PLACE = re.compile(r"\{(?:(text):)?([a-z_]+)(?::(numbered|rows))?\}")
# PDFium gives a hyphen at a line's end as U+FFFE (or U+0002), so that words can be joined again.
HYPHENS = str.maketrans({"\ufffe": "-", "\x02": "-"})


def plain(text: str) -> str:
    """The text without any white space."""
    return "".join(text.translate(HYPHENS).split())


def expected_text(face: Face, template: Template, layout: Layout) -> str:
    """All that the pages must read, without white space."""
    parts = (_filled(entry, face, template) for entry in layout.reads)
    return "".join(plain(part) for part in parts)


def printed_facts(layout: Layout) -> frozenset[str]:
    """The keys of all facts that the layout prints."""
    return frozenset(match.group(2) for entry in layout.reads for match in PLACE.finditer(entry) if not match.group(1))


def _filled(entry: str, face: Face, template: Template) -> str:
    optional, pattern = entry.startswith("?"), entry.removeprefix("?")
    values = {match.group(): _value(match, face, template) for match in PLACE.finditer(pattern)}
    if optional and not all(values.values()):
        return ""
    return PLACE.sub(lambda match: values[match.group()], pattern)


def _value(match: re.Match[str], face: Face, template: Template) -> str:
    is_text, key, form = match.groups()
    if is_text:
        entry = template.texts.get(key, "")
        text = "\n".join(entry) if isinstance(entry, list) else str(entry)
        text = _FORMS[form](text.split("\n"))
        return PLACE.sub(lambda inner: str(template.texts.get(inner.group(2), "")), text)
    own = {
        "title": face.title,
        "issuer": face.issuer,
        "issued_on": face.issued_on,
        "copy": face.copy_label,
        "serial": face.serial,
        "caption": face.code_caption if face.code_text else "",
        "check_code": face.facts.get("check_code", "") if face.code_text else "",
    }
    value = own[key] if key in own else face.facts.get(key, "")
    return _FORMS[form](value.split("\n"))


def _numbered(entries: Iterable[str]) -> str:
    lines = list(entries)
    return "".join(f"{count}.{line}" for count, line in enumerate(lines, 1)) if len(lines) > 1 else "".join(lines)


def _rows(entries: Iterable[str]) -> str:
    return "".join(f"{count}{line}" for count, line in enumerate(entries, 1))


_FORMS: Mapping[str | None, Callable[[Iterable[str]], str]] = {None: "\n".join, "numbered": _numbered, "rows": _rows}
