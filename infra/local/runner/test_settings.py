"""Ports, the state file, database URLs, template parameters, processes: the parts of stack.py that need no stack."""

import json
import os
import pathlib
import socket
import sys
import tempfile
import unittest

from runner import deployment, postgres, processes, services
from runner.settings import Problem, Settings, free_port


class StackTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def settings(self, **environ):
        """Settings of a stack in a folder of the test."""
        return Settings({"LOCAL_DIR": str(self.folder), "PATH": os.environ["PATH"], **environ})


class SettingsTest(StackTest):
    def test_state_is_merged_and_private(self):
        settings = self.settings()
        settings.save(a=1, b=2)
        settings.save(b=None, c=3)
        self.assertEqual(settings.state, {"a": 1, "c": 3})
        self.assertEqual(settings.file.stat().st_mode & 0o777, 0o600)

    def test_damaged_state_is_a_sentence(self):
        (self.folder / "stack.json").write_text("{")
        with self.assertRaisesRegex(Problem, "make reset"):
            self.settings()

    def test_ports(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(Problem, f"Port {port} .LOCAL_EMULATOR_PORT. is already taken"):
                self.settings(LOCAL_EMULATOR_PORT=str(port)).port("emulator")
            settings = self.settings()
            settings.save(emulator_port=port)
            self.assertNotEqual(settings.port("emulator"), port)
        free = free_port()
        settings.save(emulator_port=free)
        self.assertEqual(settings.port("emulator"), free)

    def test_credentials_are_private(self):
        for source, members in {"clients": {"type", "name", "value"}, "products": {"type", "username", "password"}}.items():
            path = services.credentials(self.settings(), source)
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            self.assertEqual(json.loads(path.read_text()).keys(), members)

    def test_own_database_url_is_no_choice(self):
        self.settings().save(postgres_url="postgresql://own")
        self.assertIsNone(self.settings(DATABASE_URL="postgresql://own").database_url)
        self.assertEqual(self.settings(DATABASE_URL="postgresql://other").database_url, "postgresql://other")

    def test_daemons_do_not_see_the_users_settings(self):
        clean = self.settings(AWS_PROFILE="work", PGHOST="db", HOME="/h").clean_environment(A="b")
        self.assertEqual(clean.keys(), {"PATH", "HOME", "TMPDIR", "A"})


class PostgresTest(StackTest):
    def test_secret_of_a_url(self):
        self.assertEqual(postgres.secret_of("postgresql://me:p%40ss@db.example:6432/etl?sslmode=require"), {
            "engine": "postgres", "host": "db.example", "port": 6432, "username": "me", "password": "p@ss",
            "dbname": "etl", "sslmode": "require"})
        self.assertEqual(postgres.secret_of("postgres://localhost")["port"], 5432)

    def test_url_must_be_one(self):
        with self.assertRaisesRegex(Problem, "postgresql://user"):
            postgres.up(self.settings(DATABASE_URL="host=db"))

    def test_tests_have_a_role_of_their_own(self):
        settings = self.settings()
        settings.save(postgres_password="p", postgres_port=5)
        self.assertEqual(postgres.test_url(settings, "postgresql://etl:p@127.0.0.1:5/etl?sslmode=disable"),
                         "postgresql://etl_test:p@127.0.0.1:5/postgres?sslmode=disable")
        self.assertEqual(postgres.test_url(self.settings(DATABASE_URL="postgresql://other"), "postgresql://other"), "postgresql://other")

    def test_each_login_has_a_url(self):
        settings = self.settings()
        settings.save(postgres_port=5, postgres_logins={"owner": "o", "loader": "l", "reader": "r"})
        self.assertEqual(postgres.login_url(settings, "postgresql://etl:p@127.0.0.1:5/etl", "loader"),
                         "postgresql://etl_load:l@127.0.0.1:5/etl?sslmode=disable")
        self.assertEqual(postgres.login_url(self.settings(DATABASE_URL="postgresql://other"), "postgresql://other", "owner"), "postgresql://other")

    def test_reset_removes_only_its_own_folder(self):
        (self.folder / "postgres").mkdir()
        (self.folder / "other").mkdir()
        postgres.forget(self.settings())
        self.assertEqual([p.name for p in self.folder.iterdir()], ["other"])


class DeploymentTest(StackTest):
    def template(self, body):
        """A template file."""
        path = self.folder / "template.yaml"
        path.write_text(body)
        return path

    def test_only_declared_parameters_are_set(self):
        template = self.template("Parameters:\n  Architecture: {Type: String}\n  A: {Type: String}\n"
                                 "Resources:\n  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub x}}\n")
        values = deployment.parameters(self.settings(LOCAL_PARAMETERS="A='b c'"), template, {}, "http://x")
        self.assertEqual(values.keys(), {"Architecture", "A"})
        self.assertEqual(values["A"], "b c")
        with self.assertRaisesRegex(Problem, "names B"):
            deployment.parameters(self.settings(LOCAL_PARAMETERS="B=1"), template, {}, "http://x")

    def test_etlctl_is_told_the_rules(self):
        template = self.template("Parameters:\n  NoHistory: {Type: String}\n")
        settings = self.settings(LOCAL_PARAMETERS="NoHistory=true", LOCAL_TEMPLATE=str(template))
        self.assertEqual(deployment.rules(settings, {}, "http://x"), {"NO_HISTORY": "true", "REQUIRE_CONTROL": "false"})

    def test_missing_binary_is_a_sentence(self):
        template = self.template("Resources: {F: {Properties: {\n  CodeUri: build/open/\n}}}\n")
        with self.assertRaisesRegex(Problem, "build/open/bootstrap is missing: run `make build` first"):
            deployment.require_binaries(template)

    def test_checksum_sees_binaries_and_values(self):
        template = self.template("Resources: {}\n")
        binary = self.folder / "build" / "open" / "bootstrap"
        binary.parent.mkdir(parents=True)
        binary.write_text("1")
        first = deployment.checksum(template, {})
        self.assertEqual(first, deployment.checksum(template, {}))
        self.assertNotEqual(first, deployment.checksum(template, {"A": "b"}))
        binary.write_text("2")
        self.assertNotEqual(first, deployment.checksum(template, {}))


class ProcessesTest(StackTest):
    def test_start_and_stop_with_its_session(self):
        settings = self.settings()
        code = ("import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); "
                "sys.stdin.read(); import signal; signal.pause()")
        processes.start(settings, "daemon", [sys.executable, "-c", code], settings.clean_environment())
        log = self.folder / "log" / "daemon.log"
        processes.await_ready(settings, "daemon", lambda: log.read_text().strip())
        below = int(log.read_text())
        self.assertTrue(processes.running(settings, "daemon"))
        self.assertTrue(processes.stop(settings, "daemon"))
        self.assertIsNone(processes.running(settings, "daemon"))
        processes.psutil.wait_procs([p for p in processes.psutil.process_iter() if p.pid == below], timeout=5)
        self.assertFalse(processes.psutil.pid_exists(below)
                         and processes.psutil.Process(below).status() != processes.psutil.STATUS_ZOMBIE)
        self.assertFalse(processes.stop(settings, "daemon"))

    def test_another_process_with_the_same_pid_is_left_alone(self):
        settings = self.settings()
        settings.save(daemon_pid=os.getpid(), daemon_started=1.0)
        self.assertFalse(processes.stop(settings, "daemon"))

    def test_early_end_is_a_sentence(self):
        settings = self.settings()
        processes.start(settings, "daemon", [sys.executable, "-c", "print('port taken')"],
                        settings.clean_environment())
        with self.assertRaisesRegex(Problem, "port taken"):
            processes.await_ready(settings, "daemon", lambda: False)


if __name__ == "__main__":
    unittest.main()
