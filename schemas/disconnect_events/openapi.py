"""The two operations over HTTP, described for machines: OpenAPI 3.1."""

from typing import Any

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key is answered alike for a day, and done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def document() -> dict[str, Any]:
    """Return the OpenAPI document of ``fanout api``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "disconnect-fanout",
            "version": "1",
            "description": "Disconnects a user's calendar. Every platform that had it connected is "
            "told by a signed webhook.",
        },
        "paths": {
            "/v1/calendars/{email}": {"delete": _delete()},
            "/v2/calendars/{calendar}/disconnect": {"post": _disconnect()},
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
            "schemas": {
                "Error": _object({"error": {"type": "string"}}),
                "Disconnected": _disconnected(),
                "DisconnectInput": _object({"id": {"type": "integer"}}, closed=False),
                "Credential": _credential(),
                "CalError": _cal_error(),
            },
        },
    }


def _delete() -> dict[str, Any]:
    return {
        "operationId": "deleteCalendar",
        "summary": "Disconnect a user's calendar",
        "description": "Ends the user's connection with all platforms, if the caller has one. All "
        "of them are told, the caller included. A publishable key (pk_…) is refused; the same key "
        "may stand in both headers, two different ones may not.",
        "security": [{"bearer": []}, {"apiKey": []}],
        "parameters": [
            {
                "name": "email",
                "in": "path",
                "required": True,
                "description": "The user's address, percent-encoded or with a raw @; compared "
                "without regard to case.",
                "schema": {"type": "string"},
                "example": "alice@example.com",
            },
            _IDEMPOTENCY_KEY,
        ],
        "responses": {
            "200": _answer("It ended, and all platforms are being told.", "Disconnected"),
            "400": _answer("The request can't be read.", "Error"),
            "401": _answer("Invalid or missing API key", "Error"),
            "404": _answer("No calendar connection found for this user and platform", "Error"),
            "422": _answer("The Idempotency-Key came with another request before.", "Error"),
            "429": _too_many("Error"),
            "500": _answer("Failed to disconnect calendar", "Error"),
            "503": _unavailable("Error"),
        },
    }


def _disconnect() -> dict[str, Any]:
    return {
        "operationId": "disconnectCalendar",
        "summary": "Disconnect one of the caller's calendars",
        "description": "Takes an API key (cal_…), a managed user's access token, or an OAuth "
        "access token with the scope APPS_WRITE.",
        "security": [{"bearer": []}],
        "parameters": [
            {
                "name": "calendar",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "enum": ["apple", "google", "office365"]},
            },
            _IDEMPOTENCY_KEY,
        ],
        "requestBody": {
            "required": True,
            "content": _json("DisconnectInput"),
        },
        "responses": {
            "200": _answer("The credential was deleted.", "Credential"),
            "400": _answer("Unknown calendar, or no integer id.", "CalError"),
            "401": _answer("Missing or unknown token.", "CalError"),
            "403": _answer("The OAuth token lacks the scope APPS_WRITE.", "CalError"),
            "404": _answer("No such credential of this user for this calendar.", "CalError"),
            "422": _answer("The Idempotency-Key came with another request before.", "CalError"),
            "429": _too_many("CalError"),
            "500": _answer("Failed to disconnect calendar", "CalError"),
            "503": _unavailable("CalError"),
        },
    }


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _answer(words: str, schema: str) -> dict[str, Any]:
    return {"description": words, "content": _json(schema)}


def _too_many(schema: str) -> dict[str, Any]:
    return _later("Too many requests.", schema)


def _unavailable(schema: str) -> dict[str, Any]:
    words = (
        "The database does not answer. It was done or not: ask again, best with the same "
        "Idempotency-Key, which then gets the answer of the first time."
    )
    return _later(words, schema)


def _later(words: str, schema: str) -> dict[str, Any]:
    retry = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
    return {**_answer(words, schema), "headers": {"Retry-After": retry}}


def _object(properties: dict[str, Any], *, closed: bool = True) -> dict[str, Any]:
    found = {"type": "object", "required": list(properties), "properties": properties}
    return {**found, "additionalProperties": False} if closed else found


def _disconnected() -> dict[str, Any]:
    return _object(
        {
            "success": {"const": True},
            "message": {"const": "Calendar disconnected successfully"},
            "email": {"type": "string"},
            "platform_id": {"type": "string", "description": "The caller."},
        }
    )


def _credential() -> dict[str, Any]:
    number_or_null = {"type": ["integer", "null"]}
    data = {
        "id": {"type": "integer"},
        "type": {"enum": ["apple_calendar", "google_calendar", "office365_calendar"]},
        "userId": number_or_null,
        "teamId": number_or_null,
        "appId": {"type": ["string", "null"]},
        "invalid": {"type": ["boolean", "null"]},
    }
    return _object({"status": {"const": "success"}, "data": _object(data)})


def _cal_error() -> dict[str, Any]:
    error = _object({"code": {"type": "string"}, "message": {"type": "string"}})
    return _object({"status": {"const": "error"}, "error": error})
