"""What schemathesis checks besides the document, and which names its requests may hit."""

import json
import os

import schemathesis

KNOWN = json.loads(os.environ["INGESTA_FUZZ_KNOWN"])


@schemathesis.check
def no_defect(ctx, response, case):
    """500 is documented, and always ours."""
    assert response.status_code != 500, "the gateway answered 500"


@schemathesis.check
def told_as_json(ctx, response, case):
    """Every error has a code and a hint, whatever was asked."""
    if response.status_code >= 400 and case.method.upper() != "HEAD":
        error = response.json()["error"]
        assert error["code"] and error["message"] and error["hint"], "an error without code, message or hint"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other name is one that there is: else nearly all requests would end at 404."""
    for name, values in KNOWN.items():
        given = (path_parameters or {}).get(name)
        if isinstance(given, str) and len(given) % 2 == 0:
            path_parameters[name] = values[len(given) // 2 % len(values)]
    return path_parameters
