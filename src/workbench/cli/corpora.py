"""`workbench corpus`: labelled texts of the catalogue."""

from typing import Annotated

import typer

import workbench as wb
from workbench.cli.console import Json, print_json

__all__ = ["corpus"]

corpus = typer.Typer(
    no_args_is_help=True,
    help="Corpora of labelled texts: published ones with a card, and generated conversations.",
)


@corpus.command("list")
def corpus_list(as_json: Json = False) -> None:
    """List the corpora: those with a card in datasets/, and those that are generated."""
    found = [(name, *wb.corpus_title(name)) for name in wb.corpus_names()]
    if as_json:
        print_json([{"name": n, "origin": kind, "title": title} for n, kind, title in found])
        return
    for name, kind, title in found:
        print(f"{name:<24} {kind:<10} {title}")


@corpus.command("show")
def corpus_show(
    name: Annotated[str, typer.Argument(help="Name of a corpus.")],
    n: Annotated[int, typer.Option(help="Texts to show.", min=0, max=100)] = 3,
    as_json: Json = False,
) -> None:
    """Load a corpus against its card and show parts, fields and some texts with their labels.

    Exit status 2: the card or a file is wrong; the first thing that differs is named.
    """
    found = wb.load_corpus(name)
    if as_json:
        print_json(
            {
                "name": found.name,
                "version": found.version,
                "licence": found.licence,
                "origin": found.origin_kind,
                "parts": found.sizes,
                "digest": found.digest,
                "fields": [asked.model_dump(mode="json") for asked in found.fields],
            }
        )
        return
    counts = ", ".join(f"{count:,} {part}" for part, count in found.sizes.items())
    print(f"{found.title} ({found.name} {found.version})")
    print(f"origin   {found.origin_kind}\nlicence  {found.licence}\nparts    {counts}")
    if found.slices is not None:
        print(f"slices   {', '.join(map(str, found.slices.columns))}")
    print(f"notes    {' '.join((found.notes or '–').split())}\n\nfields")
    for asked in found.fields:
        some = f", {len(asked.values)} values" if asked.values else ""
        print(f"  {asked.name:<20} {asked.kind}{some}: {asked.meaning}")
    for i in range(min(n, len(found))):
        print(f"\n[{found.part.iloc[i]}] {found.X['text'].iloc[i]}")
        for field, value in found.y.iloc[i].items():
            print(f"  {field}: {value}")
