"""Pre-registration: a design frozen with its hash before the first unit is exposed."""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workbench.abtest.design import Design
from workbench.errors import SpecError

__all__ = ["Registration", "canonical_json", "design_sha256", "read_registration", "register"]


@dataclass(frozen=True, slots=True)
class Registration:
    """A design as it was registered.

    Parameters
    ----------
    design
        The design.
    sha256
        Of its canonical JSON.
    registered_at
        When, UTC.
    """

    design: Design
    sha256: str
    registered_at: datetime

    def differences(self, design: Design) -> tuple[str, ...]:
        """Say what another design changes, one sentence a key; empty when nothing.

        Parameters
        ----------
        design
            The design at hand.
        """
        before, after = (json.loads(canonical_json(d)) for d in (self.design, design))
        return tuple(
            f"{key}: registered {before.get(key)!r}, now {after.get(key)!r}"
            for key in sorted({*before, *after})
            if before.get(key) != after.get(key)
        )


def canonical_json(design: Design) -> str:
    """Write a design as the one JSON text it is hashed as: sorted keys, no blanks, UTF-8.

    Parameters
    ----------
    design
        The design; its description does not count, its arms keep their order as a list.
    """
    data: dict[str, Any] = design.model_dump(mode="json", exclude={"description"})
    # Sorting keys must not lose the order of the arms, which the assignment depends on.
    data["arms"] = list(data["arms"].items())
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def design_sha256(design: Design) -> str:
    """Return the SHA-256 of a design's canonical JSON, as hexadecimal digits."""
    return hashlib.sha256(canonical_json(design).encode()).hexdigest()


def register(design: Design, path: Path | str, *, at: datetime | None = None) -> Registration:
    """Freeze a design in a file that is written once.

    Parameters
    ----------
    design
        The design.
    path
        JSON file to write; its folder must exist. Where it holds the same design already,
        that registration is returned and nothing is written.
    at
        When it is registered; now when omitted.

    Raises
    ------
    SpecError
        If the file holds another design, or cannot be written.
    """
    file, sha256 = Path(path), design_sha256(design)
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    if not file.exists():
        content = {
            "sha256": sha256,
            "registered_at": moment.isoformat(),
            "description": design.description,
            "design": json.loads(canonical_json(design)),
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        try:
            # A link appears whole or not at all, and never over a file that is there.
            part = file.with_name(f".{file.name}.{os.getpid()}.part")
            part.write_text(text, encoding="utf-8")
            try:
                os.link(part, file)
            finally:
                part.unlink()
        except FileExistsError:
            pass
        except OSError as reason:
            raise SpecError(
                f"the registration cannot be written: {reason}",
                where=str(file),
                fix="create the folder and check its permissions",
            ) from None
    found = read_registration(file)
    if found.sha256 != sha256:
        changed = "; ".join(found.differences(design))
        raise SpecError(
            f"another design is registered here ({changed})",
            where=str(file),
            expected="a design that is registered once",
            fix="give the changed design a name and a file of its own",
        )
    return found


def read_registration(path: Path | str) -> Registration:
    """Read a registration and check that nobody changed it.

    Parameters
    ----------
    path
        What `register` wrote.

    Raises
    ------
    SpecError
        If the file is missing, malformed, or its design does not have its hash.
    """
    file = Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        data = dict(content["design"])
        design = Design.model_validate(
            {**data, "arms": dict(data["arms"]), "description": content["description"]}
        )
        moment = datetime.fromisoformat(content["registered_at"])
        stated = str(content["sha256"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as reason:
        raise SpecError(
            f"no registration can be read: {type(reason).__name__}: {reason}",
            where=str(file),
            expected="a file that `register` wrote",
            fix="register the design",
        ) from None
    if design_sha256(design) != stated:
        raise SpecError(
            f"the registered design has the hash {design_sha256(design)[:12]}…, the file says"
            f" {stated[:12]}…: somebody changed it",
            where=str(file),
            expected="the file as it was written",
            fix="restore it from version control",
        )
    return Registration(design, stated, moment)
