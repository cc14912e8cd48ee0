"""The command line's words for boards and studies: report, archive, unarchive."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis import cli_output
from analysis.core.errors import ParamError
from analysis.core.run import reporting
from analysis.workspace import Workspace


def add(commands: Any) -> None:
    """Put the three commands beside the others."""
    p = commands.add_parser("report", help="write a review board as a file")
    p.add_argument("workspace", type=Path)
    p.add_argument("--board", required=True, metavar="NAME")
    p.add_argument("--version", type=int, help="an older version; without it the newest")
    p.add_argument(
        "--out", type=Path, required=True, metavar="FILE.html|.pdf|.pptx|.csv|.xlsx|.zip|.txt", help=".zip: its figures as files"
    )
    p.add_argument("-p", "--param", dest="params", action="append", default=[], metavar="NAME=VALUE", help="of .zip: format, size, font_pt")
    p.set_defaults(act=_report)
    p = commands.add_parser("archive", help="a whole study as one file")
    p.add_argument("workspace", type=Path)
    p.add_argument("file", type=Path, metavar="FILE.zip")
    p.add_argument("--json", action="store_true")
    p.set_defaults(act=_archive)
    p = commands.add_parser("unarchive", help="open the study of an archive as a new workspace")
    p.add_argument("file", type=Path, metavar="FILE.zip")
    p.add_argument("workspace", type=Path)
    p.add_argument("--json", action="store_true")
    p.set_defaults(act=_unarchive)


def _opened(folder: Path) -> Workspace:
    if not (folder / "format").is_file():
        raise ParamError(f"{folder} is not a workspace.", hint=f"Make one with: python -m analysis workspace create {folder}")
    return Workspace(folder)


def _shown(work: Callable[[], Any]) -> Any:
    with reporting(cli_output.progress(False)):
        return work()


def _report(args: argparse.Namespace) -> None:
    from analysis.report import export
    from analysis.report.figure_files import FigureOptions

    kind = export.kind_of(args.out)
    workspace = _opened(args.workspace)
    board = workspace.catalog.boards.get(args.board, args.version)
    if not args.out.parent.is_dir():
        raise ParamError(f"There is no folder {args.out.parent}.", hint="Make it first, or choose another.")
    _shown(lambda: export.write(workspace, board, kind, args.out, FigureOptions.parse(args.params)))
    count = len(board.content.pins)
    print(f"{args.out}: '{board.name}', version {board.version}, {count} figure{'' if count == 1 else 's'}")


def _archive(args: argparse.Namespace) -> None:
    from analysis.report.archive import archive

    workspace = _opened(args.workspace)
    facts = _shown(lambda: archive(workspace, args.file))
    if args.json:
        print(json.dumps(facts, indent=1))
        return
    print(f"{args.file}: '{facts['title']}', {facts['files']:,} files, {facts['bytes'] / 1e6:.1f} MB")
    for name in facts["outside"]:
        print(f"not inside: {name} is referenced in place and stays where it is")


def _unarchive(args: argparse.Namespace) -> None:
    from analysis.report.unarchive import unarchive

    workspace = _shown(lambda: unarchive(args.file, args.workspace))
    cli_output.facts(workspace.status(), args.json)
