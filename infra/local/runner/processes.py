"""Daemons: started detached, known again by pid and start time, stopped.

A daemon leads a session of its own and writes to LOCAL_DIR/log/<name>.log.
Stopping it ends the whole session, so that functions which the emulator
started go with it, and never touches a process that merely got its pid.
"""

import os
import signal
import subprocess
import time

import psutil

from .settings import Problem

# Seconds that a daemon has to come up or to end.
START_SECONDS = 60
STOP_SECONDS = 30


def start(settings, name, command, environment, user=None):
    """Starts a daemon and notes it in stack.json; user is a passwd entry to run as."""
    log = settings.dir / "log" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    with log.open("ab") as output:
        daemon = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=environment, start_new_session=True, cwd="/", **identity)
    started = psutil.Process(daemon.pid).create_time()
    settings.save(**{f"{name}_pid": daemon.pid, f"{name}_started": started})
    return daemon


def running(settings, name):
    """The daemon's psutil.Process if it runs, else None."""
    pid, started = settings.state.get(f"{name}_pid"), settings.state.get(f"{name}_started")
    if not pid:
        return None
    try:
        process = psutil.Process(pid)
        alive = abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if alive else None


def await_ready(settings, name, ready):
    """Waits until ready() is true; a Problem with the end of the log if the daemon ends or time runs out."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if running(settings, name) is None:
            raise Problem(f"The {name} ended as it started; its log {settings.dir}/log/{name}.log says: "
                          f"{last_line(settings, name)}")
        if time.monotonic() > deadline:
            raise Problem(f"The {name} did not answer within {START_SECONDS} s; see {settings.dir}/log/{name}.log.")
        time.sleep(0.05)


def last_line(settings, name):
    """The last line of a daemon's log."""
    lines = (settings.dir / "log" / f"{name}.log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "(nothing)"


def stop(settings, name, how=signal.SIGTERM):
    """Stops a daemon and its session; False if it did not run."""
    process = running(settings, name)
    if process is not None:
        session = process.pid
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
        try:
            os.killpg(session, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing was left of the session
    settings.save(**{f"{name}_pid": None, f"{name}_started": None})
    return process is not None
