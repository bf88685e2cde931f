"""What holds for every test, wherever it runs."""

from __future__ import annotations

import signal

from hypothesis import settings

# Property tests are no timed tests: a busy machine fails none of them.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# A suite that a shell began in the background is deaf to Ctrl-C, and so would be each command that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
