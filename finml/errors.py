"""The exceptions that a user can cause.

Each message says what is wrong and each `hint` what to do next. They are raised where the
cause is understood and handled once at the edge: the command line prints them, the HTTP service makes problem
documents of them.
"""


class FinmlError(Exception):
    """Base of every error that finml raises on purpose.

    Attributes:
        hint: one sentence that says what to do next, or an empty string.
        exit_code: what the command line ends with: 1, the thing itself failed; 2, it was asked for wrongly.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(FinmlError):
    """A command or a function was called with arguments that cannot be meant."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is missing or has a value that cannot be used."""


class LedgerError(FinmlError):
    """The ledger cannot be read, written or trusted."""


class SourceError(LedgerError):
    """A ledger URL cannot be opened, or holds something other than a ledger."""


class ContractError(LedgerError):
    """A table breaks its contract as a whole (a column is missing, the file is empty or unreadable)."""


class QuarantineLimitError(LedgerError):
    """More rows were quarantined than the configured share allows, so the ingestion was refused."""


class FeatureError(FinmlError):
    """Features cannot be built, read or verified."""


class ModelError(FinmlError):
    """A model cannot be trained, evaluated or loaded."""


class DataError(ModelError):
    """The data handed to a model breaks the model's contract."""


class UnknownModelError(UsageError):
    """No model of that name is in the catalogue."""


class RegistryError(FinmlError):
    """The registry has no such version, or refuses what is asked of it."""


class NotApprovedError(RegistryError):
    """A version without an approving gate verdict was to be promoted or packaged."""


class IntegrityError(RegistryError):
    """A file's hash differs from the one that was recorded for it."""


class PipelineError(FinmlError):
    """A pipeline cannot be compiled, run or submitted."""


class PackageError(FinmlError):
    """A Bento or an image cannot be built."""


class RoutingError(FinmlError):
    """The routing file is broken, or asks for what the Bento does not hold."""


class AccessError(FinmlError):
    """Keys or tokens cannot be read or written, or there is no such key."""


class AuditError(FinmlError):
    """A decision cannot be entered in the audit log, or the log cannot be read."""


class ServeError(FinmlError):
    """The HTTP service cannot start."""


class MonitoringError(FinmlError):
    """The inference log or the outcomes of predictions cannot be written or read."""
