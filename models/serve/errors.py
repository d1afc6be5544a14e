"""Refusals and failures as the OpenAI protocol writes them."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer that is an error. The message is a sentence, with the limit in it where there is one.

    `param` names the field at fault; `retry_after_s` asks the client to come back after so many seconds.
    """

    status = 500
    type = "server_error"

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, retry_after_s: int | None = None
    ) -> None:
        self.message = message
        self.code = code
        self.param = param
        self.retry_after_s = retry_after_s
        super().__init__(message)

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}

    def to_json(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class BadRequest(ApiError):
    """The request cannot be met as it stands; sent again unchanged it never will."""

    status = 400
    type = "invalid_request_error"


class Unauthorised(ApiError):
    """No API key, or a wrong one."""

    status = 401
    type = "invalid_request_error"


class NotFound(ApiError):
    """No such model or address."""

    status = 404
    type = "invalid_request_error"


class TooLarge(ApiError):
    """The body is larger than any request that could be met."""

    status = 413
    type = "invalid_request_error"


class Busy(ApiError):
    """The queue is full."""

    status = 429
    type = "rate_limit_error"


class NotReady(ApiError):
    """The model is loading, has failed, or is going away."""

    status = 503
