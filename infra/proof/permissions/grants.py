"""What the roles of a deployed stack may do: one grant for each action and resource of a statement."""

import dataclasses
import json
import re

from ministack.core import iam_evaluator as iam


@dataclasses.dataclass(frozen=True)
class Request:
    """A request that was decided while the stack worked."""

    principal: str
    action: str
    resource: str
    context: dict
    allowed: bool


@dataclasses.dataclass
class Statement:
    """An Allow statement of one policy of a role."""

    role: str  # logical id of the role, or of the policy for people
    actions: list
    resources: list
    conditions: dict
    parsed: object  # the evaluator's form

    def allows(self, request):
        """Whether this statement alone would allow a request."""
        return iam.evaluate(asked(request), [[self.parsed]]).decision == "Allow"

    def grants(self):
        """Its grants: every action with every resource, and for every service that may ask KMS."""
        return [Grant(self, action, resource, conditions) for action in self.actions for resource in self.resources
                for conditions in single(self.conditions)]


def single(conditions):
    """The conditions with each value of kms:ViaService by itself."""
    found = [(operator, key) for operator, keys in conditions.items() for key in keys if key.lower() == "kms:viaservice"]
    if not found:
        return [conditions]
    (operator, key), = found
    values = conditions[operator][key]
    return [{**conditions, operator: {**conditions[operator], key: value}}
            for value in ([values] if isinstance(values, str) else values)]


@dataclasses.dataclass
class Grant:
    """One action of a statement on one of its resources."""

    statement: Statement
    action: str
    resource: str
    conditions: dict

    def covers(self, request):
        """Whether it would allow a request."""
        alone = dataclasses.replace(self.statement.parsed, actions=[self.action], resources=[self.resource],
                                    conditions=self.conditions)
        return iam.evaluate(asked(request), [[alone]]).decision == "Allow"


def asked(request):
    """A request as the evaluator takes it."""
    return iam.EvalContext(
        principal_arn=request.principal, principal_type="AssumedRole", principal_account="", action=request.action,
        resource_arn=request.resource, region="", source_ip="", secure_transport=True,
        service_context={key.lower(): value for key, value in request.context.items()})


class Stack:
    """A deployed stack: its roles and its policies for people with their statements, and short names for its resources."""

    def __init__(self, name, cloudformation, roles):
        self.name = name
        resources = [r for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
                     for r in page["StackResourceSummaries"]]
        self._logical = {r["PhysicalResourceId"]: r["LogicalResourceId"] for r in resources}
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        self._place = stack["StackId"].split(":")[3:5]  # Region and account
        self._logical |= {p["ParameterValue"]: p["ParameterKey"] for p in stack.get("Parameters", [])
                          if p["ParameterValue"].startswith("arn:")}
        self.roles = {r["PhysicalResourceId"]: r["LogicalResourceId"] for r in resources
                      if r["ResourceType"] == "AWS::IAM::Role"}
        self.statements = [s for physical, logical in sorted(self.roles.items(), key=lambda item: item[1])
                           for s in statements(roles, physical, logical)]
        self.people = {}  # who acts under a policy for people, by name
        for arn, logical in sorted((r["PhysicalResourceId"], r["LogicalResourceId"]) for r in resources
                                   if r["ResourceType"] == "AWS::IAM::ManagedPolicy"):
            self.statements += read(logical, document_of(roles, arn))
            self.people |= {u["UserName"]: logical for u in roles.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]}

    def request_of(self, role, rule):
        """The request that a rule means, in the name of a role. Its resource has the template's names in braces."""
        physical = {logical: name.rpartition("/")[2].rpartition(":")[2] for name, logical in self._logical.items()}
        resource = re.sub(r"\{(\w+)\}", lambda m: physical[m[1]], rule["resource"])
        region, account = self._place
        name = f"arn:aws:{rule['service']}:{region}:{account}:{resource}" if "service" in rule else f"arn:aws:s3:::{resource}"
        return Request(role, rule["action"], name, rule.get("context", {}), True)

    def short(self, text):
        """A text with the names of the template in the place of names of the deployment."""
        for physical in sorted(self._logical, key=len, reverse=True):
            text = text.replace(physical, self._logical[physical])
        text = re.sub(r"arn:aws:[a-z0-9]+:[a-z0-9-]*:\d*:", "", text)
        text = re.sub(r"\b[a-z]+-[a-z]+-\d\b", "${Region}", re.sub(r"\b\d{12}\b", "${AccountId}", text))
        return text.replace(self.name, "${StackName}")


def statements(roles, physical, logical):
    """The Allow statements of a role, and the policies of AWS that are attached to it."""
    found = []
    for policy in roles.list_role_policies(RoleName=physical)["PolicyNames"]:
        document = roles.get_role_policy(RoleName=physical, PolicyName=policy)["PolicyDocument"]
        found += read(logical, document)
    for policy in roles.list_attached_role_policies(RoleName=physical)["AttachedPolicies"]:
        # What a policy of AWS grants is AWS's to say, so it counts as one grant, with a reason.
        document = {"Statement": [{"Effect": "Allow", "Action": f"policy:{policy['PolicyName']}", "Resource": "*"}]}
        found += read(logical, document)
    return found


def document_of(roles, arn):
    """The document of a managed policy of the stack."""
    version = roles.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return roles.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def read(role, document):
    """The Allow statements of one policy; a Deny narrows what others grant and is no grant."""
    document = json.loads(document) if isinstance(document, str) else document
    parsed = iam.parse_policy_document(document)
    return [Statement(role, s.actions, s.resources, s.conditions, s)
            for s in parsed if s.effect == "Allow"]


def requests(path):
    """The recorded requests."""
    with open(path, encoding="utf-8") as file:
        return [Request(**json.loads(line)) for line in file]
