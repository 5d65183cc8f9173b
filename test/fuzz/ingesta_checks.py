"""What schemathesis checks besides the document, and which names its requests may hit."""

import json
import os

import schemathesis

KNOWN = json.loads(os.environ["INGESTA_FUZZ_KNOWN"])
MAY = os.environ["INGESTA_FUZZ_MAY"]
# What orchestrators ask, and the document, which is open here.
OPEN = ("/livez", "/readyz", "/openapi.json")


@schemathesis.check
def no_defect(ctx, response, case):
    """The lake, the databases' tables and the scripts are there: whatever is 5xx is ours, documented or not."""
    assert response.status_code < 500, f"the gateway answered {response.status_code}: {response.text[:300]}"


@schemathesis.check
def success_documented(ctx, response, case):
    """`default` is for failures: every other answer is documented by its own status."""
    documented = case.operation.definition.raw["responses"]
    if response.status_code < 400:
        assert str(response.status_code) in documented, f"{response.status_code} is not documented"


@schemathesis.check
def told_as_json(ctx, response, case):
    """Every error has a code and a hint, whatever was asked."""
    if response.status_code >= 400 and case.method.upper() != "HEAD":
        error = response.json()["error"]
        assert error["code"] and error["message"] and error["hint"], "an error without code, message or hint"


@schemathesis.check
def keeps_out(ctx, response, case):
    """Whoever may not, gets nothing; whoever may, is not refused."""
    status = response.status_code
    if MAY == "everything":
        assert status not in (401, 403), f"{status} for who may do everything"
    elif MAY == "read":
        changes = case.method.upper() not in ("GET", "HEAD", "OPTIONS")
        assert status != 401 and not (changes and status < 300), f"{case.method} was {status} for who may only read"
    elif case.operation.path not in OPEN:
        assert status == 401, f"{status} for who has no key"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other name is one that there is: else nearly all requests would end at 404."""
    for name, values in KNOWN.items():
        given = (path_parameters or {}).get(name)
        if isinstance(given, str) and len(given) % 2 == 0:
            path_parameters[name] = values[len(given) // 2 % len(values)]
    return path_parameters
