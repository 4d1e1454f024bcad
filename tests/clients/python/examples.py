"""The client's examples, loaded as modules, and who calls them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

FOLDER: Final = Path("clients/python/examples")
_SECRET: Final = "0123456789abcdef0123456789abcdef"  # noqa: S105  of the test's world
ANN: Final = {"x-api-key": f"key_annfree_{_SECRET}", "x-organization-id": "20"}
ROOT: Final = {"authorization": f"Bearer key_rootown_{_SECRET}"}
ELSEWHERE: Final = {**ANN, "x-organization-id": "21"}
NOBODY: Final = {"x-api-key": f"key_nobody_{_SECRET}"}
UNDECIDED: Final = {**ANN, "X-Envoy-Auth-Failure-Mode-Allowed": "false"}
# Headers that nobody can act with, and what they are answered with.
REFUSED: Final[list[tuple[dict[str, str], int, str]]] = [
    ({}, 401, "CREDENTIAL_MISSING"),
    ({"x-user-id": "1", "x-authz-user-id": "1"}, 401, "CREDENTIAL_MISSING"),
    ({"authorization": "Basic YTpi"}, 401, "INVALID_CREDENTIAL"),
    (NOBODY, 401, "INVALID_CREDENTIAL"),
    ({**ANN, "authorization": "Bearer a.b.c"}, 400, "TWO_CREDENTIALS"),
    ({**ANN, "x-organization-id": "20,21"}, 400, "REPEATED_HEADER"),
    ({**ANN, "x-organization-id": "abc"}, 400, "INVALID_ORGANIZATION_ID"),
    (ELSEWHERE, 403, "NOT_A_MEMBER"),
]


def example(name: str) -> ModuleType:
    """An example as a module, loaded once."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
