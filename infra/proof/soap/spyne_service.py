"""The service of docs/enrichment/products.wsdl, by spyne: what a system that enriches might be.

It is a peer that does not know our code: spyne reads the calls and writes the answers. It answers at /soap11 and /soap12, on a
free port that it prints. The keys tell how; see README.md.

    python spyne_service.py
"""

import logging
from wsgiref.simple_server import WSGIRequestHandler, make_server

from spyne import Application, Boolean, ComplexModel, Fault, Long, Service, Unicode, rpc
from spyne.protocol.soap import Soap11, Soap12
from spyne.server.wsgi import WsgiApplication

NAMESPACE = "urn:etl-dataloader:enrichment:products:v1"

Key = Unicode(min_len=1, max_len=64, min_occurs=1, nillable=False)


class Values(ComplexModel):
    __namespace__ = NAMESPACE
    brand = Unicode(max_len=80, min_occurs=1, nillable=True)
    weight_g = Long(ge=0, le=1_000_000_000, min_occurs=1, nillable=True)
    eco_score = Unicode(values=["A", "B", "C", "D", "E"], min_occurs=1, nillable=True)


class Result(ComplexModel):
    __namespace__ = NAMESPACE
    key = Key
    found = Boolean(min_occurs=0)
    values = Values.customize(min_occurs=0)
    error = Unicode(min_occurs=0)


def known(key):
    """What the service says of a key."""
    match key:
        case "fault-sender":
            raise Fault("Client.InvalidKey", "This key is wrong")
        case "fault-receiver":
            raise Fault("Server", "The service failed")
        case "null":
            return Result(key=key, found=True, values=Values(brand=None, weight_g=0, eco_score=None))
        case "unknown":
            return Result(key=key, found=False)
        case "error":
            return Result(key=key, error="unavailable")
        case _:
            return Result(key=key, found=True, values=Values(brand="Lumière & <Fils>", weight_g=1250, eco_score="A"))


class Products(Service):
    @rpc(Key, _returns=Result, _out_variable_name="result")
    def Lookup(ctx, key):
        return known(key)

    @rpc(Key.customize(max_occurs=1000), _returns=Result.customize(max_occurs="unbounded"), _out_variable_name="result")
    def LookupList(ctx, key):
        return [known(k) for k in key]


def application(protocol):
    """The service in a version of SOAP."""
    return WsgiApplication(Application([Products], tns=NAMESPACE, name="Products", in_protocol=protocol(validator="lxml"), out_protocol=protocol()))


class Quiet(WSGIRequestHandler):
    """Logs no request."""

    def log_message(self, *_):
        pass


def main():
    logging.disable(logging.ERROR)  # faults are what is wanted
    applications = {"/soap11": application(Soap11), "/soap12": application(Soap12)}

    def route(environ, start_response):
        return applications[environ["PATH_INFO"]](environ, start_response)

    with make_server("127.0.0.1", 0, route, handler_class=Quiet) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
