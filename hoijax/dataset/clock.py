"""What JAX spends on tracing and compiling: a clock, so that compile and run time are told apart, and the cache."""

from pathlib import Path

import jax


class CompileClock:
    """Counts seconds of tracing, lowering and backend compilation (or of loading compiled code) from its creation on."""

    def __init__(self) -> None:
        self.seconds = 0.0
        jax.monitoring.register_event_duration_secs_listener(self._add)

    def _add(self, event: str, duration_secs: float, **_: str | int) -> None:
        if event.startswith("/jax/core/compile/"):
            self.seconds += duration_secs


def use_compile_cache(folder: Path) -> None:
    """From now on compiled code is kept in this folder, for later processes too."""
    jax.config.update("jax_compilation_cache_dir", str(folder.expanduser()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
