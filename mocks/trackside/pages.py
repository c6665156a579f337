"""Small HTML pages, for the few paths that a person opens in a browser."""

from __future__ import annotations

from html import escape

from trackside.errors import TracksideError
from trackside.steps import Level, Step
from trackside.wire import Answer

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
STYLE = "body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}label{display:block}button{font:inherit;margin:1em 1em 0 0}"


def page(status: int, title: str, content: str, steps: list[Step]) -> Answer:
    """Return an HTML page.

    Args:
        status: of the answer.
        title: text, which is escaped.
        content: HTML, of which all that came from outside is escaped already.
        steps: what happened.
    """
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return Answer(status, f"{head}<h1>{escape(title)}</h1>{content}</html>".encode(), dict(HEADERS), steps=steps)


def paragraph(*texts: str) -> str:
    """Return texts as one paragraph of HTML.

    >>> paragraph("a < b.", "So what?")
    '<p>a &lt; b. So what?</p>'
    """
    return f"<p>{escape(' '.join(texts))}</p>"


def refused(title: str, rule: str, fault: TracksideError, level: Level = "error") -> Answer:
    """Return the page of something that cannot be done, with its finding."""
    step = Step("fault", rule, fault.what, fault.where, fault.fix, level)
    return page(400, title, paragraph(f"{fault.what}.", f"To mend it: {fault.fix}."), [step])


def found(address: str, steps: list[Step]) -> Answer:
    """Return a redirect to another page of the lab."""
    return Answer(302, b"", {"Location": address, "Cache-Control": "no-store"}, steps=steps)
