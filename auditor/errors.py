"""The one root of every error that a user may see, and what each kind means."""


class AuditorError(Exception):
    """Root of the errors that end a command with one clear line: what, where, what to do."""


class InputError(AuditorError):
    """Input that can't be used at all: a wrong option, or a file that isn't a snapshot."""


class SnapshotError(InputError):
    """A file that is no snapshot, can't be read, or tells of two accounts.

    Snapshots are what ``aws iam get-account-authorization-details`` printed, and bundles that
    ``auditor snapshot`` wrote.
    """


class CollectError(AuditorError):
    """Nothing could be collected: no credentials, or the first call of all was refused."""


class NotifyError(AuditorError):
    """A message could not be handed over to its channel."""


class PolicyError(AuditorError):
    """A policy document that IAM would not accept.

    ``where`` is a path such as ``Statement[2].Condition.StringLike``; ``what`` says what is wrong.
    Costs the role that carries the document, never the scan.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.where = where
        self.what = what


class Undecidable(AuditorError):  # noqa: N818 - a verdict's reason rather than a failure
    """A question that could not be answered exactly; the message names why.

    Becomes the verdict ``undetermined``, never a guess.
    """
