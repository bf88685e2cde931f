"""Whether each host answers anything at all over verified TLS, asked without a token; and what time it says it is."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from setup_kit.clouds import HOSTED_DISCOVERY, Cloud
from setup_kit.engine.resource import Check, Finding, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import HISTORY, WAY_OUT
from setup_kit.export_service.wire import Wire
from setup_kit.resources.doctor.clock import Skew, judged, measured
from setup_kit.resources.doctor.network import diagnosis, proxy_for


@dataclass(frozen=True)
class Host:
    """`remedy` says more than the network can; `timely`: its time is compared with this machine's."""

    what: str
    url: str
    remedy: str = ""
    timely: bool = False


class Reach(Check):
    kind = "reach"

    def __init__(self, environment: Environment, cloud: Cloud, discovery: str) -> None:
        super().__init__(cloud.name)
        self._cloud = cloud
        self._hosts = (
            Host("the authority", cloud.authority, timely=True),
            Host("Resource Manager", cloud.resource_manager, timely=True),
            Host("Microsoft Graph", cloud.graph),
            Host(
                "the organization",
                environment.dynamics.organization_url.rstrip("/"),
                "check dynamics.organization_url",
            ),
            Host(
                "the Data Export Service",
                discovery,
                WAY_OUT if discovery == HOSTED_DISCOVERY else "check export_service.discovery, and that it runs",
            ),
        )

    def run(self) -> list[Finding]:
        wire = Wire(self._cloud)
        try:
            with ThreadPoolExecutor(len(self._hosts), thread_name_prefix="reach") as pool:
                answers = list(pool.map(lambda host: self._ask(wire, host), self._hosts))
        finally:
            wire.close()
        skews = [skew for _, skew in answers if skew is not None]
        return [*(finding for finding, _ in answers), judged(skews, "machine/clock")]

    def _ask(self, wire: Wire, host: Host) -> tuple[Finding, Skew | None]:
        asked = time.time()
        try:
            answer = wire.send("GET", host.url + "/")
        except KitError as error:
            return self._silent(host, error), None
        answered = time.time()
        proxy = proxy_for(host.url)
        evidence = f"HTTP {answer.status} after {(answered - asked) * 1000:.0f} ms"
        if proxy is not None:
            evidence += f", through the proxy of {proxy.shown}"
        date = answer.headers.get("date", "")
        skew = measured(host.what, asked, answered, date) if host.timely else None
        if answer.status >= 500:
            message = f"{host.what} answers at {host.url}, but with an error of its own"
            remedy = host.remedy or "try again in some minutes; see https://azure.status.microsoft"
            return Finding("reach.http", Status.WARNING, host.url, message, remedy, evidence), skew
        return Finding("reach", Status.PASSED, host.url, f"{host.what} answers", evidence=evidence), skew

    def _silent(self, host: Host, error: KitError) -> Finding:
        found = diagnosis(host.url, self._cloud.ca_file, error.original)
        gone = host.url == HOSTED_DISCOVERY
        message = f"{host.what} does not answer at {host.url}: {HISTORY if gone else found.why}"
        remedy = host.remedy if gone else "; ".join(filter(None, (found.remedy, host.remedy)))
        return Finding(f"reach.{found.stage}", Status.FAILED, host.url, message, remedy, found.evidence)
