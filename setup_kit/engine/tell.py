"""One listener made of several."""

from __future__ import annotations

from setup_kit.engine.events import Event, Listener


def tell_all(*listeners: Listener) -> Listener:
    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell
