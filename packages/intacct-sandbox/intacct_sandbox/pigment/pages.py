"""The workspace for people: its lists, their items, its imports with their reports.

A page shows an import's outcome at once, though the API may still
call it InProgress.
"""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined

from intacct_sandbox.pigment.messages import HTML_TYPE, Reply, Request
from intacct_sandbox.pigment.workspace import Workspace

ROWS_PER_PAGE = 100
_IMPORTS_SHOWN = 200


class Pages:
    """Renders pages of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._templates = Environment(
            loader=PackageLoader("intacct_sandbox.pigment"),
            autoescape=True,
            undefined=StrictUndefined,
        )

    def handle(self, request: Request) -> Reply | None:
        """The page; None where the path leads to no page."""
        if request.method != "GET":
            return None
        if request.path == "/":
            return self._overview()
        match = re.fullmatch(r"/(lists|imports)/([\w-]+)", request.path)
        if match is None:
            return None
        try:
            if match[1] == "lists":
                return self._list(match[2], _page_number(request))
            return self._import(match[2])
        except LookupError:
            return self._render("absent.html", 404)

    def _overview(self) -> Reply:
        workspace = self._workspace
        return self._render(
            "overview.html",
            lists=[(one, workspace.count(one.id)) for one in workspace.lists],
            imports=workspace.imports[: -_IMPORTS_SHOWN - 1 : -1],
            names={one.id: one.name for one in workspace.configurations},
        )

    def _list(self, id_: str, page: int) -> Reply:
        block = self._workspace.list_named(id_)
        count = self._workspace.count(id_)
        offset = (page - 1) * ROWS_PER_PAGE
        return self._render(
            "list.html",
            block=block,
            rows=self._workspace.rows(id_, offset, ROWS_PER_PAGE),
            count=count,
            page=page,
            pages=max((count - 1) // ROWS_PER_PAGE + 1, 1),
        )

    def _import(self, id_: str) -> Reply:
        found = self._workspace.import_of(id_)
        if found is None:
            raise LookupError(id_)
        configuration = self._workspace.configuration(found.configuration_id)
        block = self._workspace.list_named(configuration.block_id)
        return self._render(
            "import.html", found=found, configuration=configuration, block=block
        )

    def _render(self, template: str, status: int = 200, **values: object) -> Reply:
        text = self._templates.get_template(template).render(**values)
        return Reply(status, HTML_TYPE, text.encode())


def _page_number(request: Request) -> int:
    text = request.query.get("page", "1")
    return max(int(text), 1) if text.isdecimal() else 1
