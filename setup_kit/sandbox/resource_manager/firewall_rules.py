"""Microsoft.Sql/servers/firewallRules."""

from __future__ import annotations

import ipaddress

from setup_kit.sandbox.resource_manager.arm import Answer, Call, Route, not_found
from setup_kit.sandbox.resource_manager.sql_databases import FORBIDDEN
from setup_kit.sandbox.resource_manager.sql_servers import RULES, SERVER, TYPE, SqlServers, invalid_value
from setup_kit.sandbox.state import Document, State

RULE_TYPE = TYPE + "/firewallRules"


class FirewallRules:
    def __init__(self, state: State, servers: SqlServers) -> None:
        self._state = state
        self._servers = servers

    def routes(self) -> list[Route]:
        rule = SERVER + "/firewallRules/{rule}"
        return [
            Route("GET", SERVER + "/firewallRules", RULE_TYPE + "/read", "arm.get", self._list_rules),
            Route("GET", rule, RULE_TYPE + "/read", "arm.get", self._get_rule),
            Route("PUT", rule, RULE_TYPE + "/write", "firewall_rule.put", self._put_rule),
            Route("DELETE", rule, RULE_TYPE + "/delete", "firewall_rule.delete", self._delete_rule),
        ]

    def _rule_key(self, call: Call) -> str:
        return f"{call.name('server').lower()}/{call.name('rule').lower()}"

    def _rule_body(self, server: Document, rule: Document) -> Document:
        return {
            "properties": {"startIpAddress": rule["start"], "endIpAddress": rule["end"]},
            "id": f"{self._servers.id_of(server)}/firewallRules/{rule['name']}",
            "name": rule["name"],
            "type": RULE_TYPE,
        }

    async def _list_rules(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "read", RULE_TYPE)
        found = self._state.list(RULES, f"{server['name']}/")
        return Answer(200, {"value": [self._rule_body(server, rule) for _, rule in found]})

    async def _get_rule(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "read", RULE_TYPE)
        rule = self._state.get(RULES, self._rule_key(call))
        if rule is None:
            raise not_found(call.group, RULE_TYPE, f"{server['name']}/{call.name('rule')}")
        return Answer(200, self._rule_body(server, rule))

    async def _put_rule(self, call: Call) -> Answer:
        server = self._servers.find_parent(call, "write", RULE_TYPE)
        name = call.name("rule")
        if not 1 <= len(name) <= 128 or FORBIDDEN.search(name) or name.endswith("."):
            raise invalid_value("FirewallRuleName")
        start = _address(call.properties.get("startIpAddress"), "StartIpAddress")
        end = _address(call.properties.get("endIpAddress"), "EndIpAddress")
        if start > end:
            raise invalid_value("EndIpAddress")
        rule = {"name": name, "start": str(start), "end": str(end)}
        self._state.put(RULES, self._rule_key(call), rule)
        # 200 also when it is new; 201 has not been seen since 2020.
        return Answer(200, self._rule_body(server, rule))

    async def _delete_rule(self, call: Call) -> Answer:
        self._servers.find_parent(call, "delete", RULE_TYPE)
        if self._state.get(RULES, self._rule_key(call)) is None:
            return Answer(204)
        self._state.delete(RULES, self._rule_key(call))
        return Answer(200)


def _address(given: object, parameter: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(str(given))
    except ValueError:
        raise invalid_value(parameter) from None
