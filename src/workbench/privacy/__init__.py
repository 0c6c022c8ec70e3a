"""What keeps personal data in: the gate for what leaves, its keys, the audit log."""

from workbench.privacy.audit import AuditLog
from workbench.privacy.chain import Anchor, AuditEntry, AuditReport
from workbench.privacy.compliance import compliance_flags
from workbench.privacy.gate import PrivacyGate, Sealed, SealedFields
from workbench.privacy.keys import PrivacyError, TenantKeys
from workbench.privacy.presidio import PresidioRecogniser

__all__ = [
    "Anchor",
    "AuditEntry",
    "AuditLog",
    "AuditReport",
    "PresidioRecogniser",
    "PrivacyError",
    "PrivacyGate",
    "Sealed",
    "SealedFields",
    "TenantKeys",
    "compliance_flags",
]
