"""What several commands say in the same way."""

from __future__ import annotations

import rich_click as click


def notice(text: str) -> None:
    """A line that must not be missed."""
    click.secho(text, fg="yellow", bold=True, err=True)
