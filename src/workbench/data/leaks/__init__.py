"""Leaks: what a held-out part gives away, or is given."""

from workbench.data.leaks.audit import LEAKS, Leak, LeakReport, audit, audit_dataset

__all__ = ["LEAKS", "Leak", "LeakReport", "audit", "audit_dataset"]
