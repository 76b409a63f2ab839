"""The palette is told apart by the colour-blind too, on white and on dark pages."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from reports.looks import DARK, DARK_INK, DARK_MUTED, DARK_PAPER, INK, MUTED, PALETTE, PAPER

SEEN = {
    "everyone": np.eye(3),
    # Machado, Oliveira, Fernandes 2009, IEEE TVCG 15(6), table 1, severity 1.0; of linear RGB.
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour, seen):
    """CIE L*a*b* of a colour as it is seen."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(XYZ @ np.clip(seen @ linear, 0, 1) / XYZ.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


PAGES = {"light": (PALETTE, (PAPER, INK, MUTED)), "dark": (DARK, (DARK_PAPER, DARK_INK, DARK_MUTED))}


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("page", PAGES)
def test_colours_are_told_apart(page, seen):
    """From each other, and from paper, ink and the grey of reference lines.

    A CIE76 distance of 2.3 is just noticed; thin lines take several times that.
    """
    palette, others = PAGES[page]
    colours = {colour: lab(colour, np.array(SEEN[seen])) for colour in (*palette, *others)}
    pairs = [pair for pair in itertools.combinations(colours, 2) if pair[0] in palette]
    near = {(a, b): np.linalg.norm(colours[a] - colours[b]) for a, b in pairs}
    assert min(near.values()) > 10, min(near, key=near.get)
