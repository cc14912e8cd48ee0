"""A served workspace without Dash: what pages and routes ask for, with jobs that run at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from analysis.core.jobs import Inline, Jobs
from analysis.staging import Staging
from analysis.workspace import Workspace
from components.context import CONFIG, Context
from components.import_uploads import uploads


@dataclass(frozen=True)
class Served:
    """The parts of a server that the import page works with, and a client for its routes."""

    workspace: Workspace
    jobs: Jobs
    staging: Staging
    offered: Path  # the folder that the server may browse
    client: FlaskClient

    def waiting(self, name: str, content: bytes) -> str:
        """Stage a file as an upload of one piece does."""
        answer = self.client.post("/uploads", json={"name": name, "size": len(content)})
        sid = str(answer.get_json()["id"])
        if content:
            assert self.client.patch(f"/uploads/{sid}", data=content, headers={"Upload-Offset": "0"}).status_code == 204
        return sid


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    offered = tmp_path / "offered"
    offered.mkdir()
    workspace = Workspace(tmp_path / "study")
    jobs = Jobs(workspace.store, Inline())
    app = Flask("test")
    app.config[CONFIG] = Context(workspace, jobs, (offered.resolve(),))
    app.register_blueprint(uploads)
    with app.test_request_context("/"):
        yield Served(workspace, jobs, Staging(workspace.root), offered, app.test_client())
    jobs.close()
    workspace.catalog.close()
