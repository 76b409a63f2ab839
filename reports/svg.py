"""Pictures of figures: SVG for pages and notebooks, PDF for papers, PNG for everything else.

Figures that are made alike give the same bytes; one that is drawn again need not give its own.
"""

from __future__ import annotations

import io
import re

import matplotlib as mpl
from matplotlib.figure import Figure

from reports.looks import style

# Without them the SVG holds no date, no version and no address.
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def to_svg(fig: Figure, name: str = "figure") -> str:
    """The figure as one <svg> element without a prolog; `name` starts all its ids, so that several fit on one page."""
    buffer = io.StringIO()
    with style(), mpl.rc_context({"svg.hashsalt": name}):
        fig.savefig(buffer, format="svg", metadata=_NO_METADATA)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)


def to_png(fig: Figure, dpi: int = 160) -> bytes:
    """The figure as a PNG of `dpi` pixels an inch."""
    buffer = io.BytesIO()
    with style():
        fig.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def to_pdf(fig: Figure) -> bytes:
    """The figure as a PDF page whose fonts are TrueType, as publishers ask for."""
    buffer = io.BytesIO()
    with style(), mpl.rc_context({"pdf.fonttype": 42}):
        fig.savefig(buffer, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return buffer.getvalue()
