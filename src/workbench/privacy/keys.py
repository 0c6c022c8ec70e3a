"""Keys of tenants: files that only their owner may read, or bytes from elsewhere."""

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from workbench.errors import WorkbenchError

__all__ = ["PrivacyError", "TenantKeys"]

_KEY_BYTES = 32


class PrivacyError(WorkbenchError):
    """A key is missing or malformed, or a token is not one of ours."""


class TenantKeys:
    """A folder with a key file for each tenant, made at first use.

    Files have mode 0600, the folder 0700. Whoever has a tenant's key can turn its telephone
    tokens back; without it nobody can, which also means that deleting it (`forget`) puts every
    token of the tenant beyond recovery.

    Parameters
    ----------
    folder
        Where the key files are.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keys = TenantKeys(Path(folder) / "keys")
    ...     first = keys.of("north")
    ...     keys.rotate("north")
    ...     print(len(first), keys.of("north")[1] == first[0], first == keys.of("south"))
    1 True False
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"TenantKeys({str(self.folder)!r})"

    def of(self, tenant: str) -> tuple[bytes, ...]:
        """Read a tenant's keys, newest first; the first is made if there is none.

        Parameters
        ----------
        tenant
            The tenant's name.

        Raises
        ------
        PrivacyError
            When a file cannot be read or written, holds no key, or others may read it.
        """
        paths = self._paths(tenant)
        if not paths:
            self._add(tenant, 1)
            paths = self._paths(tenant)
        return tuple(self._read(path) for path in reversed(paths))

    def rotate(self, tenant: str) -> None:
        """Make a new key; tokens made with the old ones can still be revealed.

        Hashes change with the key: a person gets another token, and answers stored under the
        old one are asked for again.

        Parameters
        ----------
        tenant
            The tenant's name.

        Raises
        ------
        PrivacyError
            When the file cannot be written.
        """
        self._add(tenant, len(self._paths(tenant)) + 1)

    def forget(self, tenant: str) -> int:
        """Delete a tenant's keys: no token of the tenant can be revealed any more.

        Parameters
        ----------
        tenant
            The tenant's name.

        Returns
        -------
        int
            Number of keys deleted.
        """
        paths = self._paths(tenant)
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def _paths(self, tenant: str) -> list[Path]:
        return sorted(self.folder.glob(f"{self._stem(tenant)}-*.key"))

    @staticmethod
    def _stem(tenant: str) -> str:
        # A tenant's name may be anything, also "../x"; a digest is always a file's name.
        return hashlib.sha256(tenant.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _add(self, tenant: str, number: int) -> None:
        path = self.folder / f"{self._stem(tenant)}-{number:04d}.key"
        draft = self.folder / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES).hex().encode())
                file.flush()
                os.fsync(file.fileno())
            # Whole or not at all; when two processes are at it, the first one's key stands.
            with suppress(FileExistsError):
                os.link(draft, path)
        except OSError as error:
            raise PrivacyError(
                f"a key cannot be made: {error.strerror or error}",
                where=str(self.folder),
                fix="name a folder that can be written, or pass the key",
            ) from None
        finally:
            draft.unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> bytes:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = path.read_text("ascii").strip()
            key = bytes.fromhex(text)
        except (OSError, ValueError):
            raise PrivacyError(
                "the key file cannot be read",
                where=str(path),
                expected=f"{2 * _KEY_BYTES} hexadecimal digits",
                fix="restore the file; without its key, tokens cannot be revealed",
            ) from None
        if mode & 0o077:
            raise PrivacyError(
                f"others may read the key file (mode {mode:04o})", where=str(path),
                expected="mode 0600", fix=f"chmod 600 {path}",
            )  # fmt: skip
        if len(key) != _KEY_BYTES:
            raise PrivacyError(
                f"the key has {len(key)} bytes", where=str(path), expected=f"{_KEY_BYTES} bytes",
                fix="restore the file",
            )  # fmt: skip
        return key
