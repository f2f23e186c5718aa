"""Deploying template.yaml to the emulator with the real tool.

A deployment is repeated only if the template, the state machine, a function's
binary or a parameter changed, or if the stack is not there.
"""

import hashlib
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys

import boto3
import botocore.exceptions
import yaml

from . import postgres, services
from .settings import CREDENTIALS, HERE, ROOT, Problem

# The secrets with the logins of PostgreSQL, by the template's parameters.
SECRETS = {"DatabaseSecretArn": ("etl-dataloader/database", "loader"), "OwnerSecretArn": ("etl-dataloader/database-owner", "owner")}

# The files of LOCAL_DIR/env by the stack's outputs.
OUTPUTS = {"LANDING_BUCKET": "LandingBucket", "WORK_BUCKET": "WorkBucket", "STATE_MACHINE_ARN": "StateMachineArn",
           "REGISTRY_TABLE": "RegistryTable", "ALERTS_TOPIC_ARN": "AlertsTopicArn", "CONTROL_API": "ControlApi",
           "DASHBOARD_NAME": "DashboardName"}

# The settings in LOCAL_DIR/env by the template's parameters: what etlctl must know of the rules.
RULES = {"NO_HISTORY": "NoHistory", "REQUIRE_CONTROL": "RequireControl"}

STEADY = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def client(settings, endpoint, service):
    """A boto3 client of the emulator."""
    return boto3.client(service, endpoint_url=endpoint, region_name=settings.region,
                        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"])


def put_secrets(settings, endpoint, url):
    """Writes the logins of the database, and what authenticates at the sources of enrichment, as secrets; returns their
    ARNs by the template's parameters."""
    manager = client(settings, endpoint, "secretsmanager")
    logins = {parameter: put_secret(manager, name, json.dumps(postgres.secret_of(postgres.login_url(settings, url, login))))
              for parameter, (name, login) in SECRETS.items()}
    stores = postgres.secret_of(postgres.stores_url(settings, url))
    return logins | {"EnrichmentStoresSecretArn": put_secret(manager, "etl-dataloader/enrichment-stores", json.dumps(stores))} | {
        f"Enrichment{source.title()}SecretArn": put_secret(manager, f"etl-dataloader/enrichment-{source}",
                                                           services.credentials(settings, source).read_text())
        for source in services.CREDENTIALS_OF_SOURCES}


def put_secret(manager, name, text):
    """Writes a secret; returns its ARN."""
    try:
        current = manager.get_secret_value(SecretId=name)
    except manager.exceptions.ResourceNotFoundException:
        return manager.create_secret(Name=name, SecretString=text)["ARN"]
    if current["SecretString"] != text:
        manager.put_secret_value(SecretId=name, SecretString=text)
    return current["ARN"]


def parameters(settings, template, secrets, enrichment):
    """The template parameters to set: those that it declares, as {name: value}."""
    values = json.loads((HERE / "parameters.json").read_text())
    # The functions, PostgreSQL and the emulator share the cores: more chunks at a time only wait for each other.
    values["MaxConcurrency"] = str((os.cpu_count() or 1) + 1)
    values |= {
        **secrets,
        "Architecture": "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64",
        "EnrichmentClientsUrl": enrichment,
        "EnrichmentProductsUrl": f"{enrichment}/products/soap",
    }
    declared = declared_parameters(template)
    chosen = dict(pair.split("=", 1) for pair in shlex.split(settings.environ.get("LOCAL_PARAMETERS", "")) if "=" in pair)
    unknown = sorted(chosen.keys() - declared)
    if unknown:
        raise Problem(f"LOCAL_PARAMETERS names {', '.join(unknown)}, which the template does not declare.")
    return {name: value for name, value in {**values, **chosen}.items() if name in declared}


def rules(settings, secrets, enrichment):
    """The settings of RULES, as the functions have them."""
    values = parameters(settings, template_of(settings), secrets, enrichment)
    return {name: values.get(parameter, "false") for name, parameter in RULES.items()}


def template_of(settings):
    """The template to deploy."""
    return pathlib.Path(settings.environ.get("LOCAL_TEMPLATE", ROOT / "template.yaml"))


def declared_parameters(template):
    """The names under Parameters of a template."""
    class Loader(yaml.SafeLoader):
        """Reads the short forms of CloudFormation (!Ref, !Sub) as nothing."""
    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    document = yaml.load(template.read_text(), Loader=Loader)  # noqa: S506  a SafeLoader all the same
    return set(document.get("Parameters") or {})


def checksum(template, values):
    """A hash of all that a deployment depends on."""
    total = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    paths = [template, *template.parent.glob("statemachine/*.json"), *template.parent.glob("infra/*.yaml"),
             *template.parent.glob("build/*/bootstrap")]
    for path in sorted(paths):
        total.update(str(path.relative_to(template.parent)).encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def deploy(settings, endpoint, secrets, enrichment):
    """Deploys what changed; returns the stack's outputs."""
    template = template_of(settings)
    if not template.exists():
        raise Problem(f"{template} is missing.")
    require_binaries(template)
    values = parameters(settings, template, secrets, enrichment)
    wanted = checksum(template, values)
    outputs = stack_outputs(settings, endpoint)
    if outputs is None or settings.state.get("deployed") != wanted:
        settings.save(deployed=None)
        run_sam(settings, endpoint, template, values)
        outputs = stack_outputs(settings, endpoint)
        if outputs is None:
            raise Problem(f"The stack {settings.stack_name} is not there after its deployment; "
                          f"see {settings.dir}/log/deploy.log.")
        settings.save(deployed=wanted)
    return outputs


def require_binaries(template):
    """A Problem that names the first function of the template that is not built."""
    for folder in re.findall(r"CodeUri:\s*(build/\S+)", template.read_text()):
        if not (template.parent / folder / "bootstrap").exists():
            raise Problem(f"{folder.rstrip('/')}/bootstrap is missing: run `make build` first.")


def stack_outputs(settings, endpoint):
    """The outputs of the deployed stack, None if it is not (well) deployed."""
    try:
        stack = client(settings, endpoint, "cloudformation").describe_stacks(StackName=settings.stack_name)["Stacks"][0]
    except botocore.exceptions.ClientError:
        return None
    if stack["StackStatus"] not in STEADY:
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def run_sam(settings, endpoint, template, values):
    """sam build and sam deploy, with their output in log/deploy.log."""
    folder, log = settings.dir / "sam", settings.dir / "log" / "deploy.log"
    shutil.rmtree(folder, ignore_errors=True)
    for path in (folder, log.parent, settings.dir / "tmp"):
        path.mkdir(parents=True, exist_ok=True)
    environment = settings.clean_environment(
        **CREDENTIALS, AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION=settings.region, SAM_CLI_TELEMETRY="0",
        AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_EC2_METADATA_DISABLED="true",
        SAM_CLI_POLL_DELAY="0.3", HOME=str(folder), SAMCLI_NO_VERSION_CHECK="1")
    # -P keeps the folder of sam.py off its path, so that no module of ours stands in for one of sam's.
    sam = [sys.executable, "-P", str(HERE / "runner" / "sam.py")]
    overrides = [f'ParameterKey={name},ParameterValue="{value}"' for name, value in sorted(values.items())]
    steps = (
        [*sam, "build", "--template", str(template), "--build-dir", str(folder / "build")],
        [*sam, "deploy", "--template", str(folder / "build" / "template.yaml"), "--stack-name", settings.stack_name,
         "--resolve-s3", "--region", settings.region, "--no-confirm-changeset", "--no-fail-on-empty-changeset",
         "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND",
         *(["--parameter-overrides", *overrides] if overrides else [])],
    )
    with log.open("w") as output:
        for step in steps:
            done = subprocess.run(step, env=environment, cwd=template.parent, stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=subprocess.STDOUT, check=False)
            if done.returncode:
                raise Problem(f"`sam {step[len(sam)]}` failed; {log} says: {reason(log)}")


def reason(log):
    """The last line of a log that says something."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line or "FAILED" in line]
    return (errors or lines or ["(nothing)"])[-1]
