"""What one thing changes: rows of the committed figures minus the row that they are put on, as tables in Markdown."""

from __future__ import annotations

from committed import BASE, default_cell, main_group

import gans
from bench import results
from reports import columns, tables
from reports.comparisons import repeated
from reports.groups import select
from reports.numbers import SIGNED, estimated, p_value
from reports.recipe import twin
from reports.text import markdown_table

MORE_THAN_ONE = ("unrolled_gan",)
"""Tricks whose row has another loss of G and other rates too, so that it is no comparison of the trick."""
ONE_TERM_MORE = ("lecam", "cr_gan", "bcr_gan", "zcr_gan")
"""Rows that are `sngan` but for a term in a loss."""


def tricks(found: results.Results) -> str:
    """Each row of the family of tricks minus the row that it is put on, with the same batch norm and dropout."""
    wanted = []
    for cls in gans.families()["trick"]:
        cell, config = default_cell(cls.info.name), cls.Config()
        base = default_cell(BASE, f"bn={'on' if config.bn else 'off'}", f"dropout={config.dropout}")
        if cls.info.name not in MORE_THAN_ONE:
            wanted.append((cell, base))
    return _changes(found, wanted)


def on_sngan(found: results.Results) -> str:
    """The rows that are `sngan` with one term more in a loss, minus `sngan`."""
    return _changes(found, [(default_cell(name), default_cell("sngan")) for name in ONE_TERM_MORE])


def like_for_like(found: results.Results) -> str:
    """Each row of another algorithm minus the base's cell that has every setting as it has, where such a one ran.

    What is left of the difference is the row's own: its loss, or what its paper has and no setting says.
    """
    group = main_group(found)
    _, rows = select(found, group)
    first = repeated(rows)
    wanted = []
    for label in dict.fromkeys(rows.loc[(rows["kind"] == "trial") & (rows["algorithm"] != BASE), "label"]):
        base = twin(rows, BASE, like=label)
        if base and first.get(base, base) != first.get(label, label):
            wanted.append((label, base))
    return _changes(found, wanted)


def _changes(found: results.Results, wanted: list[tuple[str, str]]) -> str:
    """Of these pairs of cells, those that both ran."""
    group = main_group(found)
    there = set(select(found, group)[1]["label"])
    pairs = [pair for pair in wanted if there.issuperset(pair)]
    lines = []
    for row in tables.chosen(found, pairs, group).to_dict("records"):
        difference = estimated(row["difference"], row["low"], row["high"], SIGNED)
        better = columns.better(row)
        said = better if row["better"] == "" else "better" if better == row["label"] else "worse"
        numbers = (str(int(row["pairs"])), difference, p_value(row["p"]))
        lines.append((f"`{row['label']}`", f"`{row['other']}`", *numbers, said))
    return markdown_table(("row", "minus", "seeds", "FID", "p", "what follows"), lines)
