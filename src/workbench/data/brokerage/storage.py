"""Parquet parts with a manifest: a folder is whole and unchanged, or it is refused."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.data.brokerage.schema import GENERATOR_VERSION, TABLES, TRUTH_TABLES
from workbench.errors import DataError

__all__ = ["Manifest", "PartWriter", "check_folder", "read_manifest", "write_manifest"]

_MANIFEST = "manifest.json"
_Count = Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    """What a folder holds; written last, so a folder without it is unfinished."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    generator_version: str
    random_state: _Count
    n_leads: Annotated[int, Field(ge=1)]
    chunk_leads: Annotated[int, Field(ge=1)]
    text_share: Annotated[float, Field(ge=0, le=1)]
    first_day: str
    last_day: str
    rows: dict[str, _Count]
    sha256: dict[str, str]


class PartWriter:
    """Writes parts and keeps count of their rows and checksums."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = dict.fromkeys([*TABLES, *(f"truth/{name}" for name in TRUTH_TABLES)], 0)
        self.sha256: dict[str, str] = {}

    def write(self, name: str, number: int, columns: Mapping[str, pa.Array]) -> None:
        """Write one part of a table; `name` starts with "truth/" for what must stay hidden."""
        promised = TRUTH_TABLES[name[6:]] if name.startswith("truth/") else TABLES[name]
        declared = pa.schema([
            pa.field(field.name, columns[field.name].type, nullable=field.nullable)
            for field in promised
        ])  # fmt: skip
        table = pa.table([columns[field.name] for field in promised], schema=declared)
        path = self.folder / name / f"part-{number:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table, path, compression="zstd", compression_level=1, store_schema=False,
            row_group_size=1 << 20,
        )  # fmt: skip
        self.rows[name] += len(table)
        self.sha256[str(path.relative_to(self.folder))] = _digest(path)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest in one step."""
    part = folder / f".{_MANIFEST}.part"
    with part.open("w", encoding="utf-8") as sink:
        sink.write(manifest.model_dump_json(indent=1) + "\n")
        sink.flush()
        os.fsync(sink.fileno())
    part.replace(folder / _MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a finished folder of this version.

    Raises
    ------
    DataError
        When there is no folder, it is unfinished, its manifest is damaged, or another
        version of the generator wrote it.
    """
    path = folder / _MANIFEST
    again = "simulate it again into an empty folder"
    if not folder.is_dir():
        raise DataError("there is no such folder", where=str(folder), fix="correct the path")
    if not path.is_file():
        raise DataError(
            "the folder has no manifest: the simulation that filled it was stopped",
            where=str(folder), expected="a finished simulation", fix=again,
        )  # fmt: skip
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        version = data.get("generator_version") if isinstance(data, dict) else None
        if version != GENERATOR_VERSION:
            raise DataError(
                f"generator version {version!r} wrote this folder", where=str(folder),
                expected=f"version {GENERATOR_VERSION!r}", fix=again,
            )  # fmt: skip
        return Manifest.model_validate(data)
    except (ValueError, ValidationError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("the manifest is damaged", where=str(path), fix=again) from None


def check_folder(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the manifest.

    Raises
    ------
    DataError
        When a file is missing, was changed, or does not belong.
    """
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")}
    fix = "simulate it again into an empty folder"
    for name in sorted(found ^ manifest.sha256.keys()):
        what = "is missing" if name in manifest.sha256 else "does not belong here"
        raise DataError(f"{name} {what}", where=str(folder), fix=fix)
    for name, digest in manifest.sha256.items():
        if _digest(folder / name) != digest:
            raise DataError(
                f"{name} was changed after it was written", where=str(folder),
                expected=f"sha256 {digest}", fix=fix,
            )  # fmt: skip


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
