"""Every way out of a board: what is in the files, opened by other programs than the one that wrote them."""

import io
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from analysis.catalog.boards import BoardRecord
from analysis.core.errors import ParamError
from analysis.report import export, methods, notes
from analysis.workspace import Workspace


class Tags(HTMLParser):
    """Names of all elements of a page, and its text outside scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.names.append(tag)

    def handle_data(self, data: str) -> None:
        if self.names and self.names[-1] not in ("script", "style"):
            self.text += data


def test_html_stands_alone_and_shows_tags_of_notes_as_text(board: BoardRecord, study: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "board.html"
    export.write(study, board, "html", path)
    text = path.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert tags.names.count("script") == 3  # data of one figure, plotly.js once, the drawing
    assert not {"img", "link", "iframe", "i", "b"} & set(tags.names)
    assert "<script>alert(1)</script>" in tags.text
    assert "Coat all <i>cells</i>" in tags.text
    assert "default-src 'none'" in text
    assert "measured and synthetic data" in tags.text
    (data,) = re.findall(r'<script type="application/json" id="data-1">(.*?)</script>', text, re.DOTALL)
    figure = json.loads(data)
    assert any("shell (synthetic)" in str(t.get("name")) for t in figure["data"])
    assert not list(tmp_path.glob(".board*"))


def test_numbers_are_tidy_with_unit_n_and_provenance(board: BoardRecord, study: Workspace, tmp_path: Path) -> None:
    export.write(study, board, "csv", tmp_path / "n.csv")
    frame = pd.read_csv(tmp_path / "n.csv")
    rows = frame[(frame["quantity"] == "discharge_capacity") & (frame["sample"] == "bare")]
    assert rows["value"].astype(float).tolist() == pytest.approx([475, 450, 425, 400, 375, 350], rel=1e-9)
    assert set(rows["unit"]) == {"mA h/g"}
    assert set(frame["origin"]) == {"measured", "synthetic"}
    (retention,) = frame[(frame["quantity"] == "retention") & (frame["sample"] == "bare") & frame["row"].isna()].to_dict("records")
    assert float(retention["value"]) == pytest.approx(350 / 475, rel=1e-9)
    assert json.loads(retention["parameters"])["active_mass_mg"] == 2.0
    assert retention["recipe"] == "cycling.summary"
    assert retention["key"] == board.content.pins[0].items[0].key


def test_the_workbook_has_every_figure_its_provenance_and_the_methods(board: BoardRecord, study: Workspace, tmp_path: Path) -> None:
    from python_calamine import CalamineWorkbook

    path = tmp_path / "n.xlsx"
    export.write(study, board, "xlsx", path)
    book = CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["Numbers", "Figure 1", "Provenance", "Methods"]
    head, *rows = book.get_sheet_by_name("Provenance").to_python()
    assert [r[head.index("sample")] for r in rows] == ["bare", "shell"]
    assert all(str(r[head.index("code")]) for r in rows)
    assert "cycling.summary" in str(book.get_sheet_by_name("Methods").to_python())


def test_methods_name_files_recipes_parameters_and_versions(board: BoardRecord, study: Workspace) -> None:
    import numpy

    text = methods.paragraph(board.content, study.store, study.registry)
    assert "2 files" in text
    assert "cycling.summary" in text
    assert "active mass 2 mg" in text
    assert f"numpy {numpy.__version__}" in text
    assert "synthetic" in text


def test_literature_is_what_the_code_of_a_recipe_names(study: Workspace) -> None:
    cited = methods.citations(study.registry.recipe("cycling.dqdv"))
    assert any("10.1016/j.etran.2020.100051" in c for c in cited)
    assert not any("XAFS" in c or "Synchrotron" in c for c in cited)
    assert any("Ravel" in c for c in methods.citations(study.registry.recipe("spectra.normalise")))


def test_a_note_is_markdown_without_markup_of_its_own() -> None:
    assert notes.as_html("**a** <b>c</b>") == "<p><strong>a</strong> &lt;b&gt;c&lt;/b&gt;</p>\n"
    assert "href" not in notes.as_html("[x](javascript:alert(1))")
    assert "<img" not in notes.as_html("![x](http://elsewhere.org/y.png)")
    assert notes.as_text("# Head\n\n- **one**\n- two <br>\n\n1. three") == "Head\n• one\n• two <br>\n1. three"
    assert notes.for_browser("![x](y)") == "!\\[x](y)"


def test_pictures_pages_and_slides(board: BoardRecord, study: Workspace, tmp_path: Path) -> None:
    """One browser start for each: PDF with its words and a page a part, slides that can be edited, figures at journal width."""
    from pptx import Presentation

    export.write(study, board, "pdf", tmp_path / "b.pdf")
    pdf = (tmp_path / "b.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 3

    export.write(study, board, "pptx", tmp_path / "b.pptx")
    slides = list(Presentation(str(tmp_path / "b.pptx")).slides)
    assert [s.shapes.title.text for s in slides] == [
        "Review March",
        "Discharge capacity <b>and</b> efficiency (measured and synthetic data)",
        "Methods",
    ]
    assert "Repeat at 60 °C · Ada · 2026-03-01 · open" in "\n".join(s.text_frame.text for s in slides[0].shapes if s.has_text_frame)
    picture = next(s for s in slides[1].shapes if s.shape_type == 13)
    assert picture.image.size == (1184 * 3, 514 * 3)
    said = slides[1].notes_slide.notes_text_frame.text
    assert "<script>alert(1)</script>" in said
    assert re.search(r"bare \(uncoated\): Retention, cycle 6 over cycle 1 0\.73684", said)

    export.write(study, board, "figures", tmp_path / "b.zip", {"format": "png", "size": "single"})
    with zipfile.ZipFile(tmp_path / "b.zip") as z:
        (name,) = z.namelist()
        from PIL import Image

        assert Image.open(io.BytesIO(z.read(name))).size[0] == pytest.approx(336 / 96 * 600, abs=1)


def test_unknown_ways_out_are_refused(board: BoardRecord, study: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ParamError, match=r"'\.docx' is not a format for boards"):
        export.kind_of(tmp_path / "b.docx")
    with pytest.raises(ParamError, match="Font size"):
        export.write(study, board, "figures", tmp_path / "b.zip", {"font_pt": 99})
