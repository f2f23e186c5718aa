"""HTTP APIs as their functions and callers need them: the alias invoked, and an address that resolves.

A function that API Gateway or EventBridge invokes by an alias finds the alias in the ARN by which it was invoked (Lambda
runtime API, Lambda-Runtime-Invoked-Function-Arn); the emulator gave it the ARN of the function alone. And it
gave out addresses under localhost, which few resolvers know; here an API is reached by its path.
"""

import functools
import os

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

API = "AWS::ApiGatewayV2::Api"


def install():
    """Replaces how a function is found, and the address of an API that a stack makes."""
    lambda_svc._get_func_record_for_ref = functools.partial(function_of, lambda_svc._get_func_record_for_ref)
    handlers = provisioners._RESOURCE_HANDLERS[API]
    handlers["create"] = functools.partial(create_api, handlers["create"])


def function_of(original, reference):
    """The function of a reference; its configuration has the ARN by which it is invoked."""
    function, config, name = original(reference)
    if config and str(reference).startswith("arn:") and reference.count(":") == 7:
        config = {**config, "FunctionArn": reference}
    return function, config, name


def create_api(original, logical_id, properties, stack_name):
    """Makes an API; its address has it in the path."""
    api_id, attributes = original(logical_id, properties, stack_name)
    address = f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}/_aws/execute-api/{api_id}"
    provisioners._apigw_v2._apis[api_id]["apiEndpoint"] = address
    return api_id, {**attributes, "ApiEndpoint": address}
