"""Brings the local stack up and down: PostgreSQL, AWS, the enrichment server.

    python3 infra/local/stack.py venv|schemathesis|soap|postgres|up|down|reset|status|env

venv          makes .local/venv with the tools of requirements.txt
schemathesis  makes .local/schemathesis, which only infra/proof/openapi needs
soap          makes .local/soap, which only infra/proof/soap needs
postgres      starts PostgreSQL alone, for tests; writes what they need into LOCAL_DIR/env
up            starts what does not run, deploys what changed, writes LOCAL_DIR/env
down          stops what up started and keeps the data
reset         down, and forgets the data; a database of the user's own stays as it is
status        says what runs; exit 0 if all of it does
env           prints LOCAL_DIR/env

The environment variables are described in runner/settings.py. Any failure the
user can mend is one sentence on standard error and exit status 1.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from runner.settings import CREDENTIALS, HERE, ROOT, VENV, Problem, Settings  # noqa: E402


def ensure_venv(folder=VENV, requirements=HERE / "requirements.txt"):
    """Makes a virtual environment if it is missing or its requirements changed."""
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp = folder / "requirements.sha256"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        print(f"Installing {requirements.relative_to(ROOT)} into {folder.relative_to(ROOT)} …", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, stdout=subprocess.DEVNULL)
            subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps",
                            "--disable-pip-version-check", "-r", str(requirements)], check=True)
        except subprocess.CalledProcessError as err:
            shutil.rmtree(folder, ignore_errors=True)
            raise Problem("The tools could not be installed: python3-venv and access to PyPI are needed.") from err
        stamp.write_text(wanted)


def enter_venv(arguments):
    """Goes on in the virtual environment's interpreter."""
    python = VENV / "bin" / "python"
    if pathlib.Path(sys.prefix).resolve() == VENV.resolve():
        return
    if not python.exists():
        raise Problem("The local stack was never started: run `make up` first.")
    os.execv(python, [str(python), str(pathlib.Path(__file__).resolve()), *arguments])


def up(settings):
    """Starts and deploys; see the module's text."""
    from runner import deployment, postgres, services
    enrichment = services.start_enrichment(settings)
    url = postgres.up(settings)
    endpoint, objects = services.start_emulator(settings)
    secrets = deployment.put_secrets(settings, endpoint, url)
    outputs = deployment.deploy(settings, endpoint, secrets, enrichment)
    file = write_env(settings, {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_S3": objects, "AWS_REGION": settings.region, **CREDENTIALS,
        **{name: outputs[key] for name, key in deployment.OUTPUTS.items() if key in outputs},
        **deployment.rules(settings, secrets, enrichment),
        "ENRICHMENT_URL": enrichment, "ENRICHMENT_SECRET_ARN": secrets["EnrichmentClientsSecretArn"],
        "STORES_URL": postgres.stores_admin_url(settings, url), "STORES_SECRET_ARN": secrets["EnrichmentStoresSecretArn"],
        "ENRICHMENT_PRODUCTS_SECRET_ARN": secrets["EnrichmentProductsSecretArn"],
        "DATABASE_SECRET_ARN": secrets["DatabaseSecretArn"], **of_tests(settings, url),
    })
    print(f"The local stack is up: {endpoint}, settings in {os.path.relpath(file)}")


def of_tests(settings, url):
    """The settings of the tests that need services: PostgreSQL, the emulator, the validator."""
    from runner import postgres
    return {"DATABASE_URL": url, "TEST_DATABASE_URL": postgres.test_url(settings, url),
            "MINISTACK": str(HERE / "emulator" / "run"), "STATELINT": str(VENV / "bin" / "statelint")}


def write_env(settings, values):
    """Writes LOCAL_DIR/env, for a shell to source, and returns its path."""
    file = settings.dir / "env"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return file


def start_postgres(settings):
    """Starts PostgreSQL alone; what an earlier `up` wrote stays."""
    from runner import postgres
    file = settings.dir / "env"
    before = dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}
    write_env(settings, {**before, **of_tests(settings, postgres.up(settings))})


def down(settings):
    """Stops the daemons, the emulator first so that its functions leave the database."""
    from runner import postgres, processes
    for name in ("emulator", "front", "enrichment"):
        processes.stop(settings, name)
    postgres.down(settings)


def reset(settings):
    """Stops the daemons and removes all but the virtual environment."""
    from runner import postgres, services
    down(settings)
    postgres.forget(settings)
    services.forget(settings)
    for name in ("sam", "log"):
        shutil.rmtree(settings.dir / name, ignore_errors=True)
    for name in ("env", "stack.json"):
        (settings.dir / name).unlink(missing_ok=True)


def status(settings):
    """Prints a line a part; exit status 1 if one does not run."""
    from runner import processes
    own = {"postgres": not settings.database_url, "enrichment": not settings.environ.get("LOCAL_ENRICHMENT_URL")}
    names = ["emulator", "front", *(name for name, mine in own.items() if mine)]
    found = {name: processes.running(settings, name) for name in names}
    for name, process in found.items():
        place = f"127.0.0.1:{settings.state.get(f'{name}_port')}, pid {process.pid}" if process else "down"
        print(f"{name:<11} {place}")
    print(f"{'stack':<11} {settings.stack_name if settings.state.get('deployed') else 'not deployed'}")
    return 0 if all(found.values()) and settings.state.get("deployed") else 1


def env(settings):
    """Prints the settings that up wrote."""
    file = settings.dir / "env"
    if not file.exists():
        raise Problem("The local stack is not up: run `make up` first.")
    print(file.read_text(), end="")


def read_settings(command):
    """The stack's settings; reset forgets a state file that cannot be read."""
    try:
        return Settings(dict(os.environ))
    except Problem:
        if command != "reset":
            raise
        (ROOT / os.environ.get("LOCAL_DIR", ".local") / "stack.json").unlink()
        return Settings(dict(os.environ))


# The folders of infra/proof that have a virtual environment of their own, by its name.
PEERS = {"schemathesis": "openapi", "soap": "soap"}

COMMANDS = {"postgres": start_postgres, "up": up, "down": down, "reset": reset, "status": status, "env": env}


def main(arguments):
    """Runs one command; returns the exit status."""
    if len(arguments) != 1 or arguments[0] not in ("venv", *PEERS, *COMMANDS):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):
        raise Problem(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    if arguments[0] in ("venv", "postgres", "up"):
        ensure_venv()
    if arguments[0] in PEERS:
        ensure_venv(ROOT / ".local" / arguments[0], ROOT / "infra" / "proof" / PEERS[arguments[0]] / "requirements.txt")
    if arguments[0] in ("venv", *PEERS):
        return 0
    if arguments[0] in ("down", "reset") and not (VENV / "bin" / "python").exists():
        return 0  # nothing was ever started
    enter_venv(arguments)
    settings = read_settings(arguments[0])
    settings.dir.mkdir(parents=True, exist_ok=True)
    with (settings.dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return COMMANDS[arguments[0]](settings) or 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
