"""The emulator of AWS, what stands before it, and the enrichment server, as daemons."""

import json
import os
import shutil
import sys
import urllib.error
import urllib.request

from . import processes
from .settings import CREDENTIALS, HERE, ROOT, Problem

ENRICHMENT = ROOT / "build" / "local" / "enrichment"
FRONT = ROOT / "build" / "local" / "front"

# What calls to the enrichment server must carry, by source. The end-to-end tests look for the values where they must
# not be.
CREDENTIALS_OF_SOURCES = {
    "clients": {"type": "header", "name": "X-Api-Key", "value": "Canarilima-7Qd2mXw9"},
    "products": {"type": "username_token", "username": "loader", "password": "Canarimike-5Rt8pLc3"},
}


def start_emulator(settings):
    """Makes sure that the emulator and its front run; returns the endpoints of the emulator and, for S3, of the front."""
    if processes.running(settings, "emulator") is None:
        processes.stop(settings, "front")  # it stands before the emulator's last port
        port, front = settings.port("emulator"), settings.port("front")
        settings.save(emulator_port=port, front_port=front)
        (settings.dir / "tmp").mkdir(parents=True, exist_ok=True)
        processes.start(settings, "emulator", [sys.executable, HERE / "emulator" / "main.py"],
                        emulator_environment(settings, port, front))
    endpoint = f"http://127.0.0.1:{settings.state['emulator_port']}"
    processes.await_ready(settings, "emulator", lambda: answers(f"{endpoint}/_ministack/ready"))
    port = settings.state["front_port"]
    if processes.running(settings, "front") is None:
        processes.start(settings, "front", [built(FRONT), "-addr", f"127.0.0.1:{port}", "-emulator", endpoint,
                                            "-dir", settings.dir / "front"], settings.clean_environment())
    objects = f"http://127.0.0.1:{port}"
    processes.await_ready(settings, "front", lambda: answers(f"{objects}/_ministack/ready"))
    return endpoint, objects


def built(program):
    """The path of a program of the local stack; a Problem if it was not built."""
    if not os.access(program, os.X_OK):
        raise Problem(f"{program.relative_to(ROOT)} is missing: run `make build` first.")
    return program


def emulator_environment(settings, port, front):
    """The emulator's settings; its functions inherit them, and reach S3 through its front."""
    return settings.clean_environment(
        **CREDENTIALS,
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{front}",
        AWS_REGION=settings.region,
        AWS_DEFAULT_REGION=settings.region,
        MINISTACK_REGION=settings.region,
        BIND_HOST="127.0.0.1",
        # Every request is checked: its signature, and the permissions of its role.
        AUTH="true",
        PERMISSIONS_FILE=str(settings.dir / "emulator" / "permissions.jsonl"),
        GATEWAY_PORT=str(port),
        SFN_WAIT_SCALE=settings.wait_scale,
        PERSIST_STATE="1",
        STATE_DIR=str(settings.dir / "emulator" / "state"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(settings.dir / "emulator" / "s3"),
        # The quota of a new account would do; the emulator's own default follows the machine's memory.
        LAMBDA_ACCOUNT_CONCURRENCY="1000",
        # Listeners of services that are not used here.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LOG_LEVEL=settings.environ.get("LOCAL_LOG_LEVEL", "INFO"),
        PYTHONUNBUFFERED="1",
        PYTHONDONTWRITEBYTECODE="1",
    )


def answers(url):
    """Whether a GET of url answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def start_enrichment(settings):
    """Makes sure that the enrichment server runs; returns its URL."""
    elsewhere = settings.environ.get("LOCAL_ENRICHMENT_URL")
    if elsewhere:
        return elsewhere.rstrip("/")
    if processes.running(settings, "enrichment") is None:
        port = settings.port("enrichment")
        settings.save(enrichment_port=port)
        processes.start(settings, "enrichment", [built(ENRICHMENT), "-addr", f"127.0.0.1:{port}", "-credentials", credentials(settings, "clients"),
                                                 "-products", credentials(settings, "products")], settings.clean_environment())
    port = settings.state["enrichment_port"]
    processes.await_ready(settings, "enrichment", lambda: answers(f"http://127.0.0.1:{port}/health"))
    return f"http://127.0.0.1:{port}"


def credentials(settings, source):
    """The file of what calls to a source must carry, which is also the text of the functions' secret."""
    path = settings.dir / f"enrichment-{source}.json"
    settings.dir.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(CREDENTIALS_OF_SOURCES[source]))
    return path


def forget(settings):
    """Removes the emulator's state and objects."""
    for name in ("emulator", "front", "tmp"):
        shutil.rmtree(settings.dir / name, ignore_errors=True)
