"""What keeps personal data in: detection and redaction."""

from workbench.privacy.redact import RedactedText, redact

__all__ = ["RedactedText", "redact"]
