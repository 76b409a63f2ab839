"""The pages that are made of the code and of what was measured: a hook of MkDocs.

One page for each algorithm from its docstring, its Config and its rows in `reports/quick.parquet`; the list of them;
CONTRIBUTING and CHANGELOG as they are. So none of it can say what the program does not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import committed
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import gans
from bench import album, results
from bench.pictures import SAMPLES
from bench.settings import as_text
from gans import GAN
from gans.config import Option
from reports import tables
from reports.columns import columns
from reports.notes import notes
from reports.numbers import NOTHING
from reports.text import markdown_table

ROOT = Path(__file__).parents[1]
HERE = {"../CONTRIBUTING.md": "contributing.md", "../README.md#the-algorithms": "algorithms/index.md"}
"""Links that work in the repository, and what they are among the pages."""


def prose(text: str) -> str:
    """Text of a docstring as Markdown: literal but for `names`, those of algorithms being links."""
    parts = re.split(r"`([^`]*)`", text)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([\\*_<>|\[\]])", r"\\\1", parts[i])
    for i in range(1, len(parts), 2):
        parts[i] = f"[`{parts[i]}`]({parts[i]}.md)" if parts[i] in gans.names() else f"`{parts[i]}`"
    return "".join(parts)


def paper(text: str) -> str:
    """The citation, with a link where it names arXiv."""
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", prose(text))


def settings(specs: list[Option]) -> str:
    """Fields of a Config with meaning, range and source."""
    head = ("field", "default", "meaning", "allowed", "source of the default")
    rows = [
        (f"`{spec.name}`", f"`{as_text(spec.default)}`", prose(spec.meaning), spec.allowed, prose(spec.source))
        for spec in specs
    ]
    return markdown_table(head, rows)


def bullets(title: str, items: tuple[str, ...]) -> list[str]:
    """A section of a docstring, or nothing where it has none."""
    return [f"## {title}", "\n".join(f"- {prose(item)}" for item in items)] if items else []


def measured(name: str, found: results.Results) -> str:
    """The algorithm's cells beside the reference rows, a table for each group that holds it, a line a number."""
    parts = []
    for group in tables.protocols(found):
        board = tables.leaderboard(found, group)
        mine = board["algorithm"] == name
        if not mine.any():
            continue
        rows = board[mine | (board["kind"] == "reference")]
        label, *shown = columns(rows)
        records = rows.to_dict("records")
        own = [row for row in records if row["algorithm"] == name]
        told = [column for column in shown if any(column.write(row) != NOTHING for row in own)]
        lines = [(column.heading, *(column.write(row) for row in records)) for column in told]
        parts.append(f"Track {group.track}, protocol {group.protocol}: {prose(group.text)}.")
        parts.append(markdown_table(("", *rows[label.key]), lines))
        parts += [prose(note) for note in notes(rows)]
    return "\n\n".join(parts) or "Not yet, under today's protocol."


def samples(name: str, found: results.Results) -> dict[str, tuple[str, bytes]]:
    """Path, title and content of the picture of each of the algorithm's cells: of its first seed, never of the best."""
    rows = found.trials[(found.trials["algorithm"] == name) & (found.trials["status"] == "finished")]
    first = rows.sort_values("seed").drop_duplicates(["cell", "track", "protocol"])
    made = {}
    for run_id, file in album.names(first):
        content = found.artifact(run_id, SAMPLES)
        if content is not None:
            row = first.set_index("run_id").loc[run_id]
            made[f"samples/{file}"] = f"Samples of {row['cell']} on {row['task']}, seed {row['seed']}", content
    return made


def algorithm_page(cls: type[GAN], found: results.Results) -> str:
    """Everything that is known of one algorithm."""
    info = cls.info
    own = cls.Config.own_options(GAN.Config)
    about = [f"family {info.family}", str(info.year), f"track {info.track}"]
    about += ["is given labels"] * info.needs_labels + ["no GAN: it stands beside them"] * info.reference
    source = Path(str(cls.__module__).replace(".", "/")).with_suffix(".py")
    return "\n\n".join(
        [
            f"# {info.name}",
            prose(info.summary),
            f"{paper(info.paper)}  \n{'; '.join(about)}; `{source}`",
            f"    bench run --algos {info.name}",
            *bullets("Losses", info.losses),
            *bullets("Deviations", info.deviations),
            *(part for title, items in info.relations().items() for part in bullets(title, items)),
            "## Settings of its own",
            settings(own) if own else "None.",
            "What it shares with every algorithm stands in [the list](index.md#settings-of-every-algorithm).",
            "## Measured",
            measured(info.name, found),
            *(f"{title}:\n\n![{title}]({path})" for path, (title, _) in samples(info.name, found).items()),
        ]
    )


def index_page() -> str:
    """All algorithms, and the settings that each of them has."""
    parts = [
        "# Algorithms",
        f"{len(gans.names())} rows on one field. Each page is made of the algorithm's own docstring and settings, and "
        "of what was measured; `bench show NAME` prints all but the latter. Rows that are bit for bit the same as "
        "another are no evidence of their own.",
    ]
    for family, members in gans.families().items():
        rows = []
        for cls in members:
            same = ", ".join(prose(item.partition(":")[0]) for item in cls.info.same_as)
            rows.append((f"[`{cls.info.name}`]({cls.info.name}.md)", prose(cls.info.summary), str(cls.info.year), same))
        parts += [
            f"## {family.capitalize()}",
            markdown_table(("name", "what it is", "year", "same as or close to"), rows),
        ]
    return "\n\n".join([*parts, "## Settings of every algorithm", settings(GAN.Config.options())])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the algorithms' pages into the navigation, by family."""
    pages: list[Any] = ["algorithms/index.md"]
    for family, members in gans.families().items():
        pages.append({family: [{cls.info.name: f"algorithms/{cls.info.name}.md"} for cls in members]})
    assert config.nav is not None
    config.nav = [{"Algorithms": pages} if "Algorithms" in entry else entry for entry in config.nav]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are no files."""
    found = committed.load()
    made: dict[str, str | bytes] = {
        f"algorithms/{name}.md": algorithm_page(gans.get(name), found) for name in gans.names()
    }
    made["algorithms/index.md"] = index_page()
    for name in ("CONTRIBUTING", "CHANGELOG"):
        made[f"{name.lower()}.md"] = (ROOT / f"{name}.md").read_text()
    pictures = [samples(name, found) for name in gans.names()]
    made |= {f"algorithms/{path}": content for each in pictures for path, (_, content) in each.items()}
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads links to the repository's own files, which the pages cannot reach, to the pages made of them."""
    for link, target in HERE.items():
        markdown = markdown.replace(f"]({link}", f"]({target}")
    return markdown
