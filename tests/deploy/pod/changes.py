"""What a test changes in the manifests: nothing but how long things take."""

from typing import Final

import yaml

from tests.deploy.pod.manifests import Manifests, Object, mapping, objects

_BUDGET_SECONDS: Final = 5


def have_time(manifests: Manifests) -> None:
    """Gives requests more time than they have: other tests run meanwhile."""
    for files in manifests.config_maps():
        if "sidecar.yaml" in files:
            settings = yaml.safe_load(files["sidecar.yaml"])
            settings["edge"]["budget"] = _BUDGET_SECONDS
            files["sidecar.yaml"] = yaml.safe_dump(settings)
        if "envoy.yaml" in files:
            config = yaml.safe_load(files["envoy.yaml"])
            _ask_longer(config["static_resources"])
            files["envoy.yaml"] = yaml.safe_dump(config)


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


def _ask_longer(resources: Object) -> None:
    (ingress,) = (
        each for each in objects(resources, "listeners") if each["name"] == "ingress"
    )
    manager = objects(objects(ingress, "filter_chains")[0], "filters")[0]
    ext_authz = objects(mapping(manager, "typed_config"), "http_filters")[0]
    mapping(ext_authz, "typed_config", "grpc_service")["timeout"] = "10s"
    (sidecar,) = (
        each
        for each in objects(resources, "clusters")
        if each["name"] == "authz-sidecar"
    )
    # A sidecar that drains is left as soon as its health is asked for, which by chance
    # is early enough. What must always be is the renewal of connections.
    for check in objects(sidecar, "health_checks"):
        check["interval"] = check["no_traffic_interval"] = "60s"
