"""MLflow: where every run ends up."""

from workbench.tracking.calls import traced_calls
from workbench.tracking.log import log_result
from workbench.tracking.store import connect, server_command, tracking_uri

__all__ = ["connect", "log_result", "server_command", "traced_calls", "tracking_uri"]
