"""Pictures: grids of images, plots of curves, PNG and GIF files. Knows nothing of GANs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

if TYPE_CHECKING:  # whoever reads results shows pictures without it
    from torch import Tensor

Picture = NDArray[np.uint8]
"""Grey, [height, width], or in colours, [height, width, 3]."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""The first bytes of every PNG file."""
SAMPLES = "samples.png"
"""What a run's grid of samples is called among its files."""
TRAINING = "training.gif"
"""What its animation is called."""


def enlarged(picture: Picture, scale: int) -> Picture:
    """Each pixel as a square of `scale` pixels."""
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def image_grid(images: Tensor, columns: int) -> Picture:
    """uint8 [N, 1 or 3, H, W] -> one picture, row by row, with 2 pixels between images."""
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    canvas = np.full((rows * (height + 2) + 2, columns * (width + 2) + 2, channels), 64, dtype=np.uint8)
    for i, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
        top, left = 2 + i // columns * (height + 2), 2 + i % columns * (width + 2)
        canvas[top : top + height, left : left + width] = image
    return canvas[..., 0] if channels == 1 else canvas


def curve_plot(curves: Tensor, bounds: Tensor, side: int = 302) -> Picture:
    """Curves [N, ..., points] over each other in one square plot, between the brighter `bounds` [2, ..., points]."""
    low, high = bounds.min().item(), bounds.max().item()
    margin = (high - low) / 4
    canvas = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(canvas)

    def line(points: Tensor, shade: int, width: int) -> None:
        values = points.flatten().clamp(low - 2 * margin, high + 2 * margin).tolist()
        step = (side - 1) / (len(values) - 1)
        scale = (side - 1) / (high - low + 2 * margin)
        pen.line([(i * step, (high + margin - y) * scale) for i, y in enumerate(values)], fill=shade, width=width)

    for curve in curves:
        line(curve, 140, 1)
    for bound in bounds:
        line(bound, 255, 2)
    return np.asarray(canvas)


def png_bytes(picture: Picture) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def shaded(picture: Picture) -> Picture:
    """The picture in 16 shades a channel."""
    return (np.rint(picture / 17) * 17).astype(np.uint8)


def gif_bytes(frames: Sequence[Picture]) -> bytes:
    """The frames as an endless GIF of about 6 s per round, resting on the last.

    In 16 shades a channel, which nobody tells from 256 at this size and which make the file a third.
    """
    pictures = [Image.fromarray(shaded(frame)) for frame in frames]
    each = max(6000 // len(frames), 40)
    buffer = io.BytesIO()
    durations = [each] * (len(frames) - 1) + [1500]
    pictures[0].save(
        buffer, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
    )
    return buffer.getvalue()
