"""A clock of what JAX spends on tracing and compiling, so that programs can report compile and run time apart."""

import jax


class CompileClock:
    """Counts seconds of tracing, lowering and backend compilation (or of loading compiled code) from its creation on."""

    def __init__(self) -> None:
        self.seconds = 0.0
        jax.monitoring.register_event_duration_secs_listener(self._add)

    def _add(self, event: str, duration_secs: float, **_: str | int) -> None:
        if event.startswith("/jax/core/compile/"):
            self.seconds += duration_secs
