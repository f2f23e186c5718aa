"""Enforces the parts of IAM that the emulator leaves out, and records every decision.

With AUTH=true the emulator checks each request that a function signs: the
signature, the policies of the function's role, and the resource's own policy.
This module adds

- the condition keys of KMS and of requests that one service makes for another;
- the rights that a request uses implicitly: KMS behind S3, DynamoDB and SNS;
- what services do under a role of the stack: Step Functions, Scheduler;
- whether a function's own policy lets EventBridge invoke it.

Each decision is written once, without what varies from import to import, to the
file that PERMISSIONS_FILE names: one JSON object a line, for infra/proof/permissions.
"""

import functools
import json
import os
import re
import threading

from ministack.core import iam_evaluator as iam
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions as sfn

# The KMS rights that a caller needs for a request on a resource that is encrypted with a
# customer key, by the action: the service that asks KMS in the caller's name, and the rights.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
READS, WRITES = ("kms:Decrypt",), ("kms:GenerateDataKey", "kms:Decrypt")
BEHIND = {
    "s3:GetObject": ("s3", READS), "s3:GetObjectVersion": ("s3", READS), "s3:PutObject": ("s3", WRITES),
    "dynamodb:GetItem": ("dynamodb", READS), "dynamodb:BatchGetItem": ("dynamodb", READS),
    "dynamodb:Query": ("dynamodb", READS), "dynamodb:PutItem": ("dynamodb", READS),
    "dynamodb:UpdateItem": ("dynamodb", READS), "dynamodb:DeleteItem": ("dynamodb", READS),
    "dynamodb:ConditionCheckItem": ("dynamodb", READS),
    "sns:Publish": ("sns", WRITES),
}

VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Fa-f]{16,}|\d+")


class Denied(Exception):
    """A request that a role may not make, in AWS's words."""


class Record:
    """The file of decisions; each is written once."""

    def __init__(self, path):
        self._path, self._known, self._lock = path, set(), threading.Lock()

    def add(self, principal, action, resource, context, allowed):
        """Writes a decision, unless one like it is there."""
        context = {key: value for key, value in sorted(context.items()) if value is not None}
        like = (principal, action, VARYING.sub("0", resource), VARYING.sub("0", json.dumps(context)), allowed)
        with self._lock:
            if self._path is None or like in self._known:
                return
            self._known.add(like)
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"principal": principal, "action": action, "resource": resource,
                                       "context": context, "allowed": allowed}) + "\n")


RECORD = Record(os.environ.get("PERMISSIONS_FILE"))


def install():
    """Puts this module's checks around the emulator's."""
    from ministack.services import eventbridge
    if not enforced():
        return
    iam.enforce = functools.partial(enforce, iam.enforce)
    eventbridge._invoke_target = functools.partial(invoke_target, eventbridge._invoke_target)


def enforce(original, access_key, action, service, region, resource_arn="*", service_context=None):
    """The emulator's check of one request, with more condition keys and the implied rights."""
    body = body_of()  # the check of the signature forgets it
    context = {**(service_context or {}), **context_of(service, body)}
    resource = resource_of(action, resource_arn, body)
    denied = original(access_key, action, service, region, resource_arn=resource, service_context=context)
    if isinstance(denied, iam.AuthError):
        return denied
    principal = iam.resolve_principal(access_key or "", get_account_id())
    if isinstance(principal, iam.AuthError) or principal.policies is None:
        return denied
    RECORD.add(name_of(principal.arn), action, resource, context, denied is None)
    return denied or implied(principal, action, resource) or passed(principal, action, body)


def body_of():
    """The JSON body of the request that is being checked; empty if it has none."""
    request = iam._signed_request.get()
    try:
        body = json.loads(request.body) if request is not None and request.body else {}
    except (UnicodeDecodeError, json.JSONDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


def context_of(service, body):
    """The condition keys that the emulator does not set, lower case."""
    if service != "kms":
        return {}
    context = body.get("EncryptionContext") or {}
    return {"kms:encryptioncontextkeys": sorted(context) or None,
            **{f"kms:encryptioncontext:{key}".lower(): value for key, value in context.items()}}


def resource_of(action, resource, body):
    """The resource that AWS checks an action on, where the emulator takes another."""
    if action == "states:ListExecutions":
        return body.get("mapRunArn") or resource
    if action == "scheduler:CreateSchedule":
        return resource.replace(":schedule/default/", f":schedule/{body.get('GroupName', 'default')}/")
    return resource


def passed(principal, action, body):
    """The denial of iam:PassRole for the role that a request hands to a service, None if there is none."""
    role = (body.get("Target") or {}).get("RoleArn") if action == "scheduler:CreateSchedule" else None
    return decide(principal, "iam:PassRole", role, {"iam:passedtoservice": "scheduler.amazonaws.com"}) if role else None


def implied(principal, action, resource):
    """The denial of a right that the request uses implicitly, None if there is none."""
    service, rights = BEHIND.get(action, (None, ()))
    key, context = encryption(service, resource)
    for right in rights if key else ():
        denied = decide(principal, right, key, {"kms:viaservice": f"{service}.{get_region()}.amazonaws.com", **context})
        if denied:
            return denied
    return None


def encryption(service, resource):
    """(ARN of the key that encrypts a resource, condition keys of its use), or (None, {}).

    The emulator encrypts nothing and does not keep the settings, so they come from the stacks.
    """
    if service == "s3":
        name = resource.partition(":::")[2].partition("/")[0]
        return key_of("AWS::S3::Bucket", name), {"kms:encryptioncontext:aws:s3:arn": f"arn:aws:s3:::{name}"}
    if service == "dynamodb":
        name = resource.rpartition(":table/")[2].partition("/")[0]
        return key_of("AWS::DynamoDB::Table", name), {"kms:encryptioncontext:aws:dynamodb:tablename": name}
    if service == "sns":
        return key_of("AWS::SNS::Topic", resource), {"kms:encryptioncontext:aws:sns:topicarn": resource}
    return None, {}


def key_of(kind, physical_id):
    """The ARN of the customer key in the properties of a stack's resource, None if it names none."""
    from ministack.services import cloudformation
    for stack in list(cloudformation._stacks.values()):
        for resource in list((stack.get("_resources") or {}).values()):
            if resource.get("ResourceType") == kind and resource.get("PhysicalResourceId") == physical_id:
                found = re.search(r"arn:aws[\w-]*:kms:[\w:/-]+", json.dumps(resource.get("Properties") or {}))
                return found[0] if found else None
    return None


def decide(principal, action, resource, context):
    """The decision on a request that the emulator does not see: None if it is allowed, else the denial."""
    service = action.partition(":")[0]
    asked = iam.EvalContext(
        principal_arn=principal.arn, principal_type=principal.type, principal_account=principal.account, action=action,
        resource_arn=resource, region=get_region(), source_ip="", secure_transport=True, service_context=context,
        principal_keys=principal.keys)
    result = iam.evaluate(asked, principal.policies, *principal.limits)
    found = iam._resource_policy(service, resource)
    if found is not None:
        result = iam.combine_resource_policy(result, asked, *found, required=service in iam._POLICY_REQUIRED,
                                             limits=principal.limits)
    RECORD.add(name_of(principal.arn), action, resource, context, result.decision == "Allow")
    if result.decision == "Allow":
        return None
    result.principal_arn = principal.arn
    return result


def require(role, session, action, resource, context=None):
    """Raises Denied unless a role may make a request; a service makes it under a session of that name.

    The rights that it uses implicitly are required too.
    """
    account, name = role.split(":")[4], role.rpartition("/")[2]
    principal = iam.PrincipalInfo(
        arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session}", type="AssumedRole", account=account,
        policies=iam._gather_role_policies(name, account))
    denied = decide(principal, action, resource, context or {}) or implied(principal, action, resource)
    if denied:
        raise Denied(f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}")


def name_of(arn):
    """The role of a session, or the user, by name."""
    return arn.rpartition(":")[2].split("/")[1] if "/" in arn else arn


def step_functions(ctx, action, resource, error, context=None):
    """Raises error, by its name in the state language, unless the role of an execution may make a request."""
    role = ctx["Execution"]["RoleArn"]
    if not enforced():
        return
    try:
        require(role, ctx["Execution"]["Name"], action, resource, context)
    except Denied as denied:
        raise sfn._ExecutionError(error, str(denied)) from denied


def invoke_target(original, target, event, rule, *rest):
    """Delivers an event to its target, if a role or the target's own policy allows it."""
    refused = refused_by_role(target, rule) if target.get("RoleArn") else refused_by_function(target, rule)
    if refused:
        sfn.logger.warning("not delivered: %s", refused)  # AWS counts it in FailedInvocations
        return None
    return original(target, event, rule, *rest)


def refused_by_role(schedule_target, schedule):
    """Why Scheduler may not invoke a target under the role of a schedule; None if it may."""
    role, account = schedule_target["RoleArn"], get_account_id()
    group = f"{schedule['Arn'].rpartition('/')[0].replace(':schedule/', ':schedule-group/')}"
    if not trusts(role, "scheduler.amazonaws.com", {"aws:sourceaccount": account, "aws:sourcearn": group}):
        return f"{role} does not trust scheduler.amazonaws.com for {group}"
    try:
        require(role, "scheduler", "lambda:InvokeFunction", schedule_target["Arn"])
    except Denied as denied:
        return str(denied)
    return None


def trusts(role, service, context):
    """Whether a service may assume a role for a resource."""
    from ministack.services import iam as roles
    trust = (roles._roles.get(role.rpartition("/")[2]) or {}).get("AssumeRolePolicyDocument")
    statements = [{**s, "Resource": "*"} for s in as_document(trust).get("Statement", [])
                  if iam._service_principal_matches(s.get("Principal"), service)]
    asked = asked_by_service(service, "sts:AssumeRole", role, context)
    allowed = iam.evaluate(asked, [iam.parse_policy_document({"Statement": statements})]).decision == "Allow"
    RECORD.add(service, "sts:AssumeRole", role, context, allowed)
    return allowed


def refused_by_function(target, rule):
    """Why EventBridge may not invoke a function for a rule; None if it may, or the target is no function."""
    if ":lambda:" not in target.get("Arn", ""):
        return None
    found = iam._resource_policy("lambda", target["Arn"])
    source, service = rule.get("Arn", ""), "events.amazonaws.com"
    asked = asked_by_service(service, "lambda:InvokeFunction", target["Arn"], {"aws:sourcearn": source})
    result = iam.evaluate_resource_policy(found[0] if found else None, asked, service=service)
    RECORD.add(service, "lambda:InvokeFunction", target["Arn"], {"aws:sourcearn": source}, result.decision == "Allow")
    if result.decision == "Allow":
        return None
    return f"the policy of {target['Arn']} does not let {service} invoke it for {source}"


def asked_by_service(service, action, resource, context):
    """A request of a service in its own name."""
    return iam.EvalContext(principal_arn=service, principal_type="Service", principal_account=get_account_id(),
                           action=action, resource_arn=resource, region=get_region(), source_ip="",
                           secure_transport=True, service_context=context)


def as_document(policy):
    """A policy as a dict, whether it is kept as one or as text."""
    return json.loads(policy) if isinstance(policy, str) else policy or {}


def enforced():
    """Whether the emulator checks permissions."""
    return os.environ.get("AUTH", "").lower() == "true"


def function_arn(reference):
    """The ARN of a function that is named by ARN or by name."""
    return reference if reference.startswith("arn:") else f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{reference}"
