"""One request is answered once: the second time, with the first one's reply.

Lambda delivers asynchronous invocations at least once, and people press a key twice. What was
replied stands in the journal's table for a while; a request whose first run is still going on, or
that comes back with other contents, is refused.
https://docs.aws.amazon.com/powertools/python/latest/utilities/idempotency/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemAlreadyExistsError,
    IdempotencyValidationError,
)

from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS: Final = 24 * 3600
"""How long a reply is kept. Lambda retries an event for six hours at most:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""

_PARTITION: Final = "request"
"""The partition key of the replies in the journal's table; plans' begin with ``plan-``."""


def answer(
    run: Callable[[], dict[str, Any]],
    *,
    request_id: str,
    event: dict[str, Any],
    table: str,
    client: DynamoDBClient,
    context: Any,
) -> dict[str, Any]:
    """Run, or return what an earlier run of the same request replied.

    A run that fails leaves nothing behind, so that the same request may be made again. One that is
    killed keeps its request until Lambda would have ended it; then the same request runs again.
    https://docs.aws.amazon.com/powertools/python/latest/utilities/idempotency/#lambda-timeouts
    Raises InputError where the request is running, or an earlier one of this id was another.
    """
    store = DynamoDBPersistenceLayer(
        table_name=table,
        key_attr="pk",
        sort_key_attr="sk",
        static_pk_value=_PARTITION,
        expiry_attr="expires_at",
        boto3_client=client,
    )
    settings = IdempotencyConfig(
        event_key_jmespath="request_id",
        payload_validation_jmespath="event",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=KEPT_SECONDS,
    )
    settings.register_lambda_context(context)

    def run_it(*, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - the request's key
        return run()

    answered = idempotent_function(
        run_it, data_keyword_argument="asked", config=settings, persistence_store=store
    )
    try:
        found: dict[str, Any] = answered(asked={"request_id": request_id, "event": event})
    except (IdempotencyAlreadyInProgressError, IdempotencyItemAlreadyExistsError) as error:
        raise InputError(
            f"remediate: request {request_id} is running already; if its run was killed, the same"
            " request goes on with it once Lambda's time for that run is over (15 minutes at most)"
        ) from error
    except IdempotencyValidationError as error:
        raise InputError(
            f"remediate: request_id {request_id} was used for another request; choose a new one"
        ) from error
    return found
