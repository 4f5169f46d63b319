"""The configuration: which files run, since when, and what a check says of others."""

from __future__ import annotations

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from nicegui.element import Element
from starlette.responses import Response

from gateway import Permission
from gateway_console.page.frame import done, framed, tag, view_of
from gateway_console.page.link import Facts, missing, text
from gateway_console.page.live import Table, column
from gateway_console.page.wording import clock_text, count_text


class Check(Element, component="check.js"):
    """A form that has the API check files, which nothing keeps or uses."""

    def __init__(self, csrf: str) -> None:
        super().__init__()
        self._props["csrf"] = csrf


@ui.page("/configuration")
def configuration(request: Request, client: Page) -> Response:
    view = view_of(request, client)
    if not view.may(Permission.CONFIGURE):
        return missing(view, "Your role may not see the configuration.", 403)
    runs = view.desk.observe.configuration()
    with framed(view, "Configuration", "/configuration"):
        tag("h2", "What runs now")
        with tag("section", classes="gw-panel", aria_label="what runs now"):
            Facts().show(
                (
                    ("since", clock_text(runs.since)),
                    ("version", view.desk.health.version),
                    ("sources", count_text(runs.sources)),
                    ("sinks", count_text(runs.sinks)),
                    ("points", count_text(runs.points)),
                )
            )
        files = Table(
            "Files, and their SHA-256",
            [column("file", "File"), column("hash", "SHA-256", mono=True)],
            empty="It was not read from files.",
        )
        files.rows([{"id": str(path), "cells": [str(path), h]} for path, h in runs.files.items()])
        columns = [
            column("name", "Link", link=True),
            column("type", "Type"),
            column("direction", "Direction", less=True),
            column("settings", "Settings, secrets masked", wide=True),
        ]
        links = Table("Links", columns, size="half")
        links.rows(
            [
                {
                    "id": one.name,
                    "cells": [one.name, one.type, one.direction, text(one.settings)],
                    "href": f"/link/{one.name}",
                }
                for one in view.desk.links
            ]
        )
        tag("h2", "Check another one: nothing of it is used or kept")
        session = view.who.session
        Check(session.csrf if session is not None else "")
    return done(view)
