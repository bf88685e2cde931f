"""Property tests are no timed tests: a busy machine fails none of them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed")
settings.load_profile("untimed")
