"""Kills `rotate` with SIGKILL at one of its boundaries, and finishes the job with a second run."""

from __future__ import annotations

import threading
from typing import Any

from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import ConnectionString, SqlError, connect, parse_ado_net
from tests.sandbox.job.end_state import end_state
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.killing import Boundary, kill_at
from tests.sandbox.job.owner import Owner

MARK = "setup-kit-rotation"
ROTATE = ("--yes", "--grace", "0", "--output", "json")


def rotate(kit: Kit, name: str, *options: str) -> Finished:
    return kit.run("rotate", "-e", name, *ROTATE, *options)


def held(owner: Owner) -> ConnectionString:
    """What the secret says now."""
    return parse_ado_net(Secret(owner.secret()["value"]))


def sign_in(owner: Owner, given: ConnectionString) -> None:
    """Logs in with it; raises SqlError."""
    connect(
        given.address,
        given.database,
        user=given.user,
        password=given.password,
        certificate=owner.box["sql_certificate"],
    ).close()


class Watcher:
    """Somebody who reads the secret and logs in with it, again and again. `users` whom it was let in as."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.times = 0
        self.users: list[str] = []
        self.refusals: list[str] = []

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            given = held(self._owner)
            try:
                sign_in(self._owner, given)
            except SqlError as error:
                self.refusals.append(f"{given.user}: {error}")
            self.times += 1
            if given.user not in self.users:
                self.users.append(str(given.user))


def settled(kit: Kit, name: str) -> dict[str, Any]:
    """The end state, whichever of the two users it is."""
    state = end_state(kit, name)
    del state["secret versions"]
    text = {key: str(value).replace("dataexport_2", "dataexport") for key, value in state.items()}
    return dict(text)


def trial(kit: Kit, name: str, at: Boundary, settled_before: dict[str, Any], finishing: str = "rotate") -> str:
    """One kill at a boundary, then the job finished. What went wrong in words; empty when nothing did."""
    owner = Owner(kit, kit.edit(name))
    before = held(owner).user
    kill_at(kit, name, at, "rotate", "-e", name, *ROTATE)
    where = f"killed at {at}"
    secret = owner.secret()
    sign_in(owner, parse_ado_net(Secret(secret["value"])))
    over = held(owner).user != before and MARK not in secret["tags"]
    if finishing == "apply":
        finished = kit.apply(name)
    else:
        finished = rotate(kit, name, *(["--finish"] if over else []))
        if finished.code == 0 and held(owner).user == before:
            return f"{where}, the second run left the user {before}"
    if finished.code != 0:
        return f"{where}, {finishing} ended with {finished.code}: {finished.text}"
    state = settled(kit, name)
    if state != settled_before:
        details = "; ".join(f"{k}: {state[k]} instead of {v}" for k, v in settled_before.items() if state[k] != v)
        return f"{where}, the end state differs: {details}"
    if MARK in owner.secret()["tags"]:
        return f"{where}, the secret is still marked"
    plan = kit.run("plan", "-e", name, "--output", "json")
    if plan.code != 0 or plan.json["changes"] or plan.json["deferred"]:
        return f"{where}, the plan is not empty: {plan.text}"
    sign_in(owner, held(owner))
    return ""
