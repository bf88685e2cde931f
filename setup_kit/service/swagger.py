"""The service's description of itself, Swagger 2.0, made from its own routes."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

API_DESCRIPTION_PATH = "/swagger/docs/2016-01-01"

_ORGANIZATION: list[dict[str, Any]] = [
    {"name": "organizationUrl", "in": "query", "type": "string"},
    {"name": "organizationId", "in": "query", "type": "string"},
]
_STATUS: list[dict[str, Any]] = [{"name": "status", "in": "query", "type": "boolean"}]
_BODY: list[dict[str, Any]] = [{"name": "description", "in": "body", "required": True, "schema": {"type": "object"}}]
_PARAMETERS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("get", "/crm/exporter/profiles"): _ORGANIZATION + _STATUS,
    ("post", "/crm/exporter/profiles"): _BODY,
    ("post", "/crm/exporter/profiles/validate"): _BODY,
    ("get", "/crm/exporter/profiles/{id}"): _STATUS,
    ("put", "/crm/exporter/profiles/{id}"): _BODY,
}


def api_description(app: web.Application, host: str) -> dict[str, Any]:
    """A Swagger 2.0 document with every path that the application answers."""
    paths: dict[str, dict[str, Any]] = {}
    for route in app.router.routes():
        method = route.method.lower()
        if route.resource is None or method in {"head", "*"}:
            continue
        path = route.resource.canonical
        parameters: list[dict[str, Any]] = [
            {"name": name, "in": "path", "required": True, "type": "string"} for name in re.findall(r"\{(\w+)\}", path)
        ]
        if path.startswith("/crm/exporter/metadata/") and not path.endswith("/organizations"):
            parameters += _ORGANIZATION
        parameters += _PARAMETERS.get((method, path), [])
        paths.setdefault(path, {})[method] = {
            "operationId": f"{method}_{path.rpartition('exporter/')[2].replace('/', '_')}",
            "parameters": parameters,
            "responses": {"200": {"description": "OK"}, "default": {"description": "CorrelationId, Message, Details"}},
        }
    return {
        "swagger": "2.0",
        "info": {"title": "Data Export Service", "version": "2016-01-01"},
        "host": host,
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
    }
