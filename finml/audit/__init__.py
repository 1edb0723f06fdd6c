"""The audit log: every decision about a person, so written that a change of it shows.

`AuditLog` is what a service writes by, `verify` and `find` what an auditor reads by. What a line holds, what
is proven and what is not: `docs/privacy.md`.
"""

from finml.audit.log import AuditLog
from finml.audit.secret import audit_folder, audit_secret, check_audit_secret
from finml.audit.verify import Checked, Problem, Report, find, verify

__all__ = [
    "AuditLog",
    "Checked",
    "Problem",
    "Report",
    "audit_folder",
    "audit_secret",
    "check_audit_secret",
    "find",
    "verify",
]
