"""The dashboard: ``python app.py [--workspace DIR] [--host H] [--port P] [--roots DIR…]``."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.core import settings
from analysis.core.errors import UserError

if TYPE_CHECKING:
    from dash import Dash


def create_app(
    workspace: Path, *, roots: tuple[Path, ...] = (), hosts: frozenset[str] = frozenset(), token: str = "", pool: bool = True
) -> "Dash":
    """The Dash app of one workspace; ``roots`` are the folders that the server-side browser may list."""
    from components import server

    return server.build(workspace, roots=roots, hosts=hosts, token=token, pool=pool)


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    from components import server

    token = args.token or settings.token()
    if args.host not in server.LOOPBACK and not token:
        print(f"--host {args.host} lets others in: give --token SECRET too, or set INTERPLAY_TOKEN.", file=sys.stderr)
        return 2
    try:
        root, fresh = server.choose_workspace(args.workspace)
        server.use_scheduler(args.scheduler, root)
        app = create_app(root, roots=tuple(args.roots), hosts=frozenset({args.host, *args.allow_host}), token=token)
    except UserError as err:
        print(err, file=sys.stderr)
        return 2
    server.serve(app, args.host, args.port, demo=fresh or args.demo)
    return 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Interplay: why a solid-state cell dies, coated against uncoated.")
    parser.add_argument("--workspace", type=Path, help="folder of the study; without it, or INTERPLAY_WORKSPACE, ./workspace")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8050)
    parser.add_argument("--token", default="", help="secret that clients must show; required for other addresses")
    parser.add_argument("--allow-host", action="append", default=[], help="further host name under which the server may be reached")
    parser.add_argument("--roots", type=Path, nargs="*", default=[], help="folders whose files the import page may browse")
    parser.add_argument("--scheduler", default="", metavar="ADDRESS", help="Dask scheduler whose workers compute large arrays")
    parser.add_argument("--demo", action="store_true", help="fill an empty workspace with the synthetic study")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
