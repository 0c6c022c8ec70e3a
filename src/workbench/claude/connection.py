"""Where a client's requests go, and with which key."""

import threading
from typing import Any

from workbench.claude.emulator.process import EmulatorProcess
from workbench.claude.origin import Origin
from workbench.claude.wire import is_loopback
from workbench.errors import ClaudeError
from workbench.settings import Settings

__all__ = ["Connection"]

_ANTHROPIC = "https://api.anthropic.com"
_NO_KEY = "no-key"  # the SDK wants one; a loopback endpoint does not look at it


class Connection:
    """An endpoint and its key; the emulator is started when it is first needed.

    Pickled, it leaves its key and its emulator behind; unpickled, it reads the key from the
    environment.

    Parameters
    ----------
    origin
        Who answers.
    api_key
        Anthropic key. Never shown, stored or logged.
    base_url
        Endpoint, where it is the user's own.
    tracer_provider
        OpenTelemetry's, for spans of calls; it does not travel either.

    Raises
    ------
    ClaudeError
        When key or endpoint does not fit the origin.
    """

    def __init__(
        self,
        origin: Origin,
        api_key: str | None,
        base_url: str | None,
        tracer_provider: Any = None,
    ) -> None:
        self.origin = origin
        self.base_url = base_url.rstrip("/") if base_url else None
        self.tracer_provider = tracer_provider
        self._api_key = api_key
        self._emulator: EmulatorProcess | None = None
        self._lock = threading.Lock()
        _check(origin, api_key, base_url)

    def __getstate__(self) -> dict[str, object]:
        return {"origin": self.origin, "base_url": self.base_url}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(
            state, tracer_provider=None, _api_key=None, _emulator=None, _lock=threading.Lock()
        )

    def key(self) -> str:
        """Bearer token to send.

        Raises
        ------
        ClaudeError
            When a live endpoint has none, here and in the environment.
        """
        if self.origin is Origin.LIVE and self._api_key is None:
            self._api_key = Settings.from_env().api_key
            _check(self.origin, self._api_key, None)
        return self._api_key or _NO_KEY

    def url(self) -> str:
        """Address to send to; starts the emulator if that is what answers.

        Raises
        ------
        ClaudeError
            When the emulator does not start.
        """
        if self.origin is Origin.LIVE:
            return _ANTHROPIC
        if self.base_url is not None:
            return self.base_url
        with self._lock:
            if self._emulator is None or not self._emulator.running:
                self._emulator = EmulatorProcess()
            return self._emulator.url

    def close(self) -> None:
        """Stop the emulator, if one was started; it starts again at need."""
        with self._lock:
            if self._emulator is not None:
                self._emulator.close()
            self._emulator = None


def _check(origin: Origin, api_key: str | None, base_url: str | None) -> None:
    if origin is Origin.LIVE and (not api_key or base_url):
        raise ClaudeError(
            "a live client has a base_url" if base_url else "a live client has no API key",
            expected="an API key and Anthropic's own endpoint",
            fix="set ANTHROPIC_API_KEY, or use origin 'local' for an endpoint of your own",
        )
    if origin is Origin.LOCAL and not base_url:
        raise ClaudeError(
            "a local client has no base_url",
            expected="the URL of an Anthropic-compatible endpoint",
            fix="set ANTHROPIC_BASE_URL or pass base_url",
        )
    if origin is Origin.SIMULATED and base_url and not is_loopback(base_url):
        raise ClaudeError(
            f"the simulated origin has the endpoint {base_url!r}",
            expected="an emulator on this machine, such as http://127.0.0.1:8000",
            fix="leave base_url out, or use origin 'local'",
        )
