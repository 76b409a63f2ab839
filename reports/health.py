"""What `bench doctor` found, for the report: how the metrics moved when real digits were damaged in known ways."""

from __future__ import annotations

from matplotlib.figure import Figure

from bench.examination import REAL, Examination
from reports import plotting
from reports.looks import MUTED, PALETTE, style


def verdicts(examination: Examination) -> list[str]:
    """One sentence for each thing that must hold, those that do not first."""
    found = sorted(examination.verdicts().items(), key=lambda item: item[1])
    return [promise if holds else f"DOES NOT HOLD: {promise}" for promise, holds in found]


def damage(examination: Examination) -> Figure:
    """FID of every damaged set, real digits first, on a logarithmic axis."""
    names = list(examination.measured)
    fids = [scores["fid"] for scores in examination.measured.values()]
    with style():
        fig, axes = plotting.rows_figure(names, 0.3)
        for place, (name, fid) in enumerate(zip(names, fids, strict=True)):
            colour = MUTED if name == REAL else PALETTE[0]
            axes.plot([min(fids), fid], [place] * 2, color=colour, linewidth=1, alpha=0.5)
            axes.scatter([fid], [place], s=36, color=colour, zorder=3)
        axes.set_xscale("log")
        plotting.plain_numbers(axes.xaxis)
        axes.set_xlabel("FID (lower is better)")
        plotting.rows_axis(axes, names, "set of images")
    return fig
