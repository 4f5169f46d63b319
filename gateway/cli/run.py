"""`gateway run`: the engine, its signals, and what the terminal shows of it."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from gateway.cli import log as logs
from gateway.cli.summary import EngineState, status_line, status_object
from gateway.engine.engine import Engine
from gateway.engine.status import State
from gateway.model.configuration import Configuration, LogFormat
from gateway.model.errors import GatewayError

INTERRUPTED = 130
"""What a shell calls a process that SIGINT ended: 128 + 2."""

LEFT_BEHIND = 1
"""The exit code when a link had to be left behind."""

ONE_WISH = 0.5
"""Seconds in which a second signal is the first one again: `make` passes on what its group got."""

log = logging.getLogger("gateway")


def operate(
    configuration: Configuration,
    changes: Mapping[str, Any],
    trace: Sequence[str],
    status_every: float,
    *,
    view: bool,
) -> int:
    """Run a gateway until it is told to stop; returns the exit code.

    `changes` replace settings of the gateway; `trace` names links whose frames are logged;
    `view` allows the live view where stdout is a terminal and the log is for people.
    """
    settings = configuration.gateway.model_copy(update=dict(changes))
    configuration = dataclasses.replace(configuration, gateway=settings)
    logs.set_up(configuration)
    # The point list stays for good; a collector that walks through it stops the world for long.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            engine = Engine(configuration, trace=trace)
            runner.run(_run(engine, status_every, view=view))
            if engine.left_behind:
                # Python would wait for them, which the engine has done for long enough.
                logging.shutdown()
                sys.stdout.flush()
                os._exit(LEFT_BEHIND)
        except GatewayError as error:
            if settings.log is LogFormat.JSON:
                log.critical("%s", error)
            else:
                sys.stderr.write(f"gateway: {error}\n")
            return 1
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _run(engine: Engine, status_every: float, *, view: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    patience = 0.0

    def asked() -> None:
        nonlocal patience
        if not stop.is_set():
            patience = loop.time() + ONE_WISH
            stop.set()
        elif loop.time() > patience:
            # Asked again: whoever asks does not want to wait for sinks that do not answer.
            # The journal has what they did not get.
            os._exit(INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    beside = [
        asyncio.create_task(_guarded(_display(engine, status_every, view=view))),
        asyncio.create_task(_freeze_links(engine)),
    ]
    try:
        await engine.run(stop)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)


async def _freeze_links(engine: Engine) -> None:
    """Once every link has been up or down, spare the collector what they are made of, too."""
    while not engine.links or any(  # noqa: ASYNC110 - a look a second costs nothing
        link.state is State.STARTING for link in engine.links.values()
    ):
        await asyncio.sleep(1.0)
    gc.freeze()


def _display(engine: EngineState, status_every: float, *, view: bool) -> Coroutine[Any, Any, None]:
    told = engine.configuration.gateway.log
    if view and told is LogFormat.TEXT and sys.stdout.isatty():
        from rich.console import Console

        from gateway.cli.view import show

        return show(engine, Console())
    return _status_lines(engine, status_every)


async def _status_lines(engine: EngineState, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        if engine.configuration.gateway.log is LogFormat.JSON:
            print(logs.line(status_object(engine)), flush=True)
        else:
            print(status_line(engine), flush=True)


async def _guarded(display: Coroutine[Any, Any, None]) -> None:
    """Let the gateway go on where only its display fails: a closed pipe, a strange terminal."""
    try:
        await display
    except OSError as error:
        log.warning("nothing more is shown on stdout: %s", error)
    except Exception:
        log.exception("the display failed, the gateway goes on")
