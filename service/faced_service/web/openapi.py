"""The OpenAPI document of the gateway; the camera socket, which OpenAPI has no words for, is told in docs/web.md."""

from __future__ import annotations

from faced_proto.json_values import JsonObject, JsonValue
from faced_proto.version import __version__
from faced_service.settings import Settings
from faced_service.web.http_status import HTTP_STATUS

_NUMBER_OR_NULL: list[JsonValue] = ["integer", "null"]

_REFUSALS = {
    400: "The picture or an option is wrong",
    401: "No token, or an unknown one",
    403: "The attribute is not allowed here, or the page that asks is of another origin",
    413: "More bytes or pixels than the limit",
    415: "Neither JPEG, PNG, WebP nor BMP",
    429: "The caller's allowance is used up",
    500: "The server made a mistake, or a network failed",
    503: "The server has as much in hand as it may, or is starting or stopping",
    504: "The deadline passed first",
}


def openapi_document(settings: Settings) -> JsonObject:
    """OpenAPI 3.1."""
    tokens = settings.token_file is not None
    document: JsonObject = {
        "openapi": "3.1.0",
        "info": {
            "title": "faced",
            "version": __version__,
            "description": "Boxes, and a distribution over emotion, gender and age for every face.",
        },
        "paths": {
            "/v1/analyze": {"post": _analyze(settings)},
            "/v1/info": {
                "get": {
                    "summary": "Networks, attributes and limits of this server",
                    "operationId": "info",
                    "responses": {"200": {"description": "Facts"}, **_refusals(401, 429)},
                }
            },
            "/v1/health": {
                "get": {
                    "summary": "Whether this server takes pictures",
                    "operationId": "health",
                    "security": [],
                    "responses": {"200": {"description": "It does"}, **_refusals(503)},
                }
            },
        },
        "components": {"schemas": _schemas()},
    }
    if tokens:
        document["components"] = {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        }
        document["security"] = [{"token": []}]
    return document


def _analyze(settings: Settings) -> JsonObject:
    picture: JsonObject = {"type": "string", "format": "binary", "maxLength": settings.max_message_bytes}
    raw: JsonObject = {"schema": picture}
    return {
        "summary": "The faces in one picture",
        "description": (
            f"JPEG, PNG, WebP or BMP of at most {settings.max_message_bytes} bytes and {settings.max_pixels} pixels, "
            "as the field `image` of a form or as the body itself. It is held in memory alone, gone with the answer."
        ),
        "operationId": "analyze",
        "parameters": [
            _parameter("attributes", "string", "Comma list, `all` or `none`.", "all"),
            _parameter("min_face", "integer", "Smallest face in pixels; the server's cap decides how far it goes."),
            _parameter("upsample", "integer", "Doublings; not together with `min_face`. Unset: one, where it fits."),
            _parameter("threshold", "number", "Least score of a face; above 0 fewer, below 0 more.", 0),
            _parameter("max_faces", "integer", "At most so many, the best first."),
            _parameter("landmarks", "boolean", "Whether to tell the five points.", True),
            _parameter("deadline_ms", "number", "Milliseconds after which the answer is of no use."),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "required": ["image"], "properties": {"image": picture}}
                },
                "image/jpeg": raw,
                "image/png": raw,
                "image/webp": raw,
                "image/bmp": raw,
                "application/octet-stream": raw,
            },
        },
        "responses": {
            "200": {
                "description": "What was found; no face is an answer too",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Analysis"}}},
            },
            **_refusals(*_REFUSALS),
        },
    }


def _parameter(name: str, kind: str, description: str, default: str | float | None = None) -> JsonObject:
    schema: JsonObject = {"type": kind}
    if default is not None:
        schema["default"] = default
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _refusals(*codes: int) -> JsonObject:
    error: JsonObject = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(code): {"description": _REFUSALS[code], "content": error} for code in codes}


def _schemas() -> JsonObject:
    number: JsonObject = {"type": "number"}
    probabilities: JsonObject = {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}
    return {
        "Analysis": {
            "type": "object",
            "required": ["width", "height", "applied_scale", "min_detectable_px", "faces", "timing_ms"],
            "properties": {
                "width": {"type": "integer", "description": "Of the upright picture, in pixels."},
                "height": {"type": "integer"},
                "applied_scale": {"type": "number", "description": "What detection ran on: above 1 enlarged."},
                "min_detectable_px": {"type": "number", "description": "The smallest face that could be found."},
                "faces": {"type": "array", "items": {"$ref": "#/components/schemas/Face"}},
                "device": {"type": "string"},
                "backend": {"type": "string"},
                "rotation": {"type": "integer"},
                "full_scan": {"type": "boolean"},
                "timing_ms": {"type": "object", "additionalProperties": number},
            },
        },
        "Face": {
            "type": "object",
            "required": ["box", "score", "landmarks", "attributes", "track_id"],
            "properties": {
                "box": {
                    "type": "object",
                    "description": "Continuous pixels of the upright picture; it may leave it.",
                    "properties": {"left": number, "top": number, "right": number, "bottom": number},
                },
                "score": {"type": "number", "description": "The detector's margin; no probability."},
                "landmarks": {"type": "array", "items": {"type": "array", "items": number}},
                "attributes": {
                    "type": "object",
                    "additionalProperties": {"$ref": "#/components/schemas/Attribute"},
                },
                "track_id": {"type": _NUMBER_OR_NULL, "description": "Null: pictures have no tracks."},
            },
        },
        "Attribute": {
            "description": "A distribution, the reason why it is withheld, or why its network failed.",
            "type": "object",
            "properties": {
                "label": {"type": "string", "description": "The most probable class."},
                "years": {"type": "number", "description": "The expectation of an age."},
                "interval_90": {"type": "array", "items": {"type": "integer"}},
                "probabilities": probabilities,
                "withheld": {"type": "string"},
                "error": {"type": "string"},
            },
        },
        "Error": {
            "type": "object",
            "required": ["error", "message"],
            "properties": {
                "error": {"type": "string", "enum": [reason.value for reason in HTTP_STATUS]},
                "message": {"type": "string"},
                "retry_after_s": {"type": "number"},
            },
        },
    }
