"""What the project says about its networks and their use, as pages of the server's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from markdown_it import MarkdownIt

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · faced</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
</head>
<body class="reading">
<header class="bar"><a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28">faced</a></header>
<main>{body}</main>
</body>
</html>
"""

_LINKS = {
    "models/faced_models/cards/": "/#about",
    "../../../RESPONSIBLE_USE.md": "/about/responsible-use",
}
"""Where the texts point to within the project."""


@cache
def document_names() -> Mapping[str, str]:
    """By path below /about/: the title of each page."""
    cards = files("faced_models").joinpath("cards").iterdir()
    names = sorted(card.name.removesuffix(".md") for card in cards if card.name.endswith(".md"))
    return {"responsible-use": "Responsible use"} | {f"cards/{name}": name for name in names}


@cache
def document(name: str) -> str:
    """HTML of one of `document_names`. Raw HTML in the text is shown as text."""
    if name == "responsible-use":
        source = files("faced_service.web").joinpath("RESPONSIBLE_USE.md")
    else:
        source = files("faced_models").joinpath("cards", f"{name.removeprefix('cards/')}.md")
    text = source.read_text(encoding="utf-8")
    for there, here in _LINKS.items():
        text = text.replace(f"]({there})", f"]({here})")
    # Notes to those who edit the text.
    text = re.sub(r"(?m)^<!--.*-->$", "", text)
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    body = markdown.render(text)
    # A cell without words heads nothing.
    body = body.replace("<th></th>", "<td></td>")
    # Wide ones scroll, also by keyboard.
    body = body.replace("<table>", '<div class="wide" role="group" aria-label="Table" tabindex="0"><table>')
    return _PAGE.format(title=document_names()[name], body=body.replace("</table>", "</table></div>"))
