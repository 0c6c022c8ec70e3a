"""What keeps personal data in: detection and redaction."""

from workbench.privacy.audit import AuditLog
from workbench.privacy.compliance import compliance_flags
from workbench.privacy.gate import PrivacyGate, Sealed, SealedFields
from workbench.privacy.keys import PrivacyError, TenantKeys
from workbench.privacy.redact import RedactedText, redact

__all__ = [
    "AuditLog",
    "PrivacyError",
    "PrivacyGate",
    "RedactedText",
    "Sealed",
    "SealedFields",
    "TenantKeys",
    "compliance_flags",
    "redact",
]
