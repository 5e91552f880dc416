"""JSON over HTTP: bodies of requests, answers, errors."""

from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response
from mlserver.errors import InferenceError, MLServerError
from starlette.exceptions import HTTPException

from data.errors import shown

# Names the version in answers whose protocol has no place for it, and in all others too.
VERSION_HEADER = "model-version"


def json_of(body: bytes) -> dict[str, Any]:
    """Returns the object that a body holds, of whatever type it says that it is.

    Raises:
      InferenceError: it holds no object of JSON.
    """
    try:
        content = orjson.loads(body)
    except ValueError as error:
        raise InferenceError(f"the body is not JSON: {shown(str(error))}") from error
    if not isinstance(content, dict):
        raise InferenceError("the body: expected an object of JSON, as {...}")
    return content


def answered(content: dict[str, Any], version: str = "") -> Response:
    """Returns what is sent, with the version that answered, if any."""
    return Response(
        orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY),
        media_type="application/json",
        headers={VERSION_HEADER: version} if version else None,
    )


def tell_errors(app: FastAPI) -> None:
    """Has an app answer with {"error": reason}, as both protocols have it."""

    def told(status: int, reason: str) -> Response:
        return Response(orjson.dumps({"error": reason}), status, media_type="application/json")

    async def ours(request: Request, error: MLServerError) -> Response:
        return told(error.status_code, str(error))

    async def of_routes(request: Request, error: HTTPException) -> Response:
        return told(
            error.status_code, f"{request.method} {shown(request.url.path)}: {error.detail}"
        )

    app.add_exception_handler(MLServerError, ours)
    app.add_exception_handler(HTTPException, of_routes)
