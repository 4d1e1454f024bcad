"""What a test changes in the manifests: nothing but how long things take."""

import re
from typing import Final

import yaml

from tests.deploy.pod.manifests import Manifests, Object, mapping, objects

_BUDGET_SECONDS: Final = 5
# Of the question to the sidecar, and not that of a connection to it.
_TIMEOUT: Final = re.compile(r"(?m)^( +timeout:) 0\.2s$")


def have_time(manifests: Manifests) -> None:
    """Gives requests more time than they have: other tests run meanwhile."""
    for files in manifests.config_maps():
        if "sidecar.yaml" in files:
            settings = yaml.safe_load(files["sidecar.yaml"])
            settings["edge"]["budget"] = _BUDGET_SECONDS
            files["sidecar.yaml"] = yaml.safe_dump(settings)
        if "envoy.yaml" in files:
            changed, count = _TIMEOUT.subn(r"\1 10s", files["envoy.yaml"])
            assert 1 == count
            files["envoy.yaml"] = changed


def hurry(pod: Object) -> None:
    """Lets what a pod waits for at its end take one second in place of ten."""
    envoy, application = (
        mapping(each, "lifecycle", "preStop")
        for name in ("envoy", "application")
        for each in objects(pod, "containers")
        if each["name"] == name
    )
    mapping(application, "sleep")["seconds"] = 3
    command = mapping(envoy, "exec")["command"]
    assert isinstance(command, list)
    assert "sleep 10" in str(command[-1])
    command[-1] = str(command[-1]).replace("sleep 10", "sleep 1")
