"""Where a local stack keeps its things, and what was decided for it.

Everything of one stack is under its state directory (LOCAL_DIR, default
`.local`), so that several live side by side; only the virtual environment is
shared. What must survive a command (ports, password, process ids) is in its
stack.json.
"""

import json
import pathlib
import socket

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parents[1]
VENV = ROOT / ".local" / "venv"

# Any account will do for the emulator; this is its default one.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class Problem(Exception):
    """Something the user can put right, in one sentence."""


class Settings:
    """A stack's directory and the choices made in the environment.

    LOCAL_DIR            state directory, default .local
    LOCAL_STACK_NAME     CloudFormation stack, default etl-dataloader
    DATABASE_URL         a PostgreSQL to use instead of the embedded one, with the owner's login of
                         infra/database/roles.sql; all functions then use that login, and the places
                         that enrich stores (infra/local/stores.sql) are in a schema of it
    LOCAL_ENRICHMENT_URL an enrichment server to use instead of one's own; calls to it carry what
                         LOCAL_DIR/enrichment-clients.json and -products.json say
    LOCAL_TEMPLATE       another template to deploy than template.yaml
    MINISTACK_REGION     Region, default eu-west-1
    SFN_WAIT_SCALE       factor on waits and retry intervals, default 0.05
    LOCAL_POSTGRES_PORT, LOCAL_EMULATOR_PORT, LOCAL_FRONT_PORT, LOCAL_ENRICHMENT_PORT
                         fixed ports instead of free ones
    LOCAL_PARAMETERS     more template parameters: "Name=value Name=value"
    """

    def __init__(self, environ):
        self.environ = environ
        self.dir = (ROOT / environ.get("LOCAL_DIR", ".local")).resolve()
        self.stack_name = environ.get("LOCAL_STACK_NAME", "etl-dataloader")
        self.region = environ.get("MINISTACK_REGION", "eu-west-1")
        self.wait_scale = environ.get("SFN_WAIT_SCALE", "0.05")
        self.file = self.dir / "stack.json"
        # A DATABASE_URL that `up` itself wrote is not a choice of the user's.
        own = self.state.get("postgres_url")
        chosen = environ.get("DATABASE_URL")
        self.database_url = chosen if chosen and chosen != own else None

    @property
    def state(self):
        """What stack.json holds; empty if there is none."""
        try:
            return json.loads(self.file.read_text())
        except FileNotFoundError:
            return {}
        except json.JSONDecodeError as err:
            raise Problem(f"{self.file} is damaged ({err}); `make reset` starts afresh.") from err

    def save(self, **changes):
        """Merges changes into stack.json; None removes a member."""
        state = {k: v for k, v in {**self.state, **changes}.items() if v is not None}
        self.dir.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".tmp")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(state, indent=1))
        draft.replace(self.file)

    def port(self, name):
        """The port of a service: the one asked for, else the last one if it is free, else any free one."""
        variable = f"LOCAL_{name.upper()}_PORT"
        wanted = self.environ.get(variable)
        if wanted:
            if not wanted.isdigit() or not is_free(int(wanted)):
                raise Problem(f"Port {wanted} ({variable}) is already taken: choose another one, or leave it unset.")
            return int(wanted)
        last = self.state.get(f"{name}_port")
        return last if last and is_free(last) else free_port()

    def clean_environment(self, **more):
        """The environment of a process of the stack: nothing of the user's AWS or PostgreSQL settings."""
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "SSL_CERT_FILE", "TZ")
        return {**{k: self.environ[k] for k in kept if k in self.environ},
                "TMPDIR": str(self.dir / "tmp"), **more}


def is_free(port):
    """Whether nothing listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
