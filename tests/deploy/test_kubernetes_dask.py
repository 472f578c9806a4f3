"""deploy/kubernetes-dask.yaml: its objects are of Kubernetes' types and fit each other, and its commands have only
options that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from distributed.cli import dask_scheduler, dask_worker
from lightkube import codecs

from bigviz.cli import cli

from .proxies import DEPLOY
from .test_kubernetes import TEXT as ALONE

TEXT = (DEPLOY / "kubernetes-dask.yaml").read_text()
OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    (each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(TEXT)
}
PODS: dict[str, dict[str, Any]] = {
    found["metadata"]["labels"]["role"]: found["spec"]["template"]["spec"]
    for (kind, _), found in OBJECTS.items()
    if kind in ("Deployment", "StatefulSet")
}


def args(role: str) -> list[str]:
    (container,) = PODS[role]["containers"]
    return list(container["args"])


def options(role: str) -> dict[str, str]:
    """The options of a command with their values."""
    return {name: value for name, _, value in (each.partition("=") for each in args(role)) if name.startswith("--")}


def test_all_fields_are_those_of_kubernetes() -> None:
    typed = codecs.load_all_yaml(TEXT)
    for each, given in zip(typed, OBJECTS.values(), strict=True):
        assert each.to_dict() == given, "a field that does not exist is lost"


@pytest.mark.parametrize("role", PODS)
def test_pods_have_what_they_mount_and_are_found_by_their_service(role: str) -> None:
    (kind,) = [each for each in OBJECTS.values() if each["spec"].get("template", {}).get("spec") is PODS[role]]
    labels, pod = kind["spec"]["template"]["metadata"]["labels"], PODS[role]
    assert labels == {"app": "bigviz", "role": role} == kind["spec"]["selector"]["matchLabels"]
    claims = kind["spec"].get("volumeClaimTemplates", [])
    volumes = {each["name"] for each in (*pod["volumes"], *(claim["metadata"] for claim in claims))}
    for container in (*pod.get("initContainers", []), *pod["containers"]):
        assert {each["name"] for each in container["volumeMounts"]} == volumes
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    (service,) = [
        each for (name, _), each in OBJECTS.items() if name == "Service" and each["spec"]["selector"] == labels
    ]
    ports = {each["name"] for each in pod["containers"][0]["ports"]}
    assert {each["targetPort"] for each in service["spec"]["ports"]} <= ports


def test_commands_have_options_that_there_are(tmp_path: Path) -> None:
    for name in ("ca.crt", "tls.crt", "tls.key", "secret"):
        (tmp_path / name).touch()

    def placed(role: str) -> list[str]:
        return [each.replace("/dask/", f"{tmp_path}/").replace("/secrets/", f"{tmp_path}/") for each in args(role)[1:]]

    assert [args(role)[0] for role in ("scheduler", "worker", "server")] == ["scheduler", "worker", "serve"]
    scheduler = dask_scheduler.main.make_context("scheduler", placed("scheduler"))
    assert str(scheduler.params["port"]) == "8786" and scheduler.params["protocol"] == "tls"
    worker = dask_worker.main.make_context("worker", placed("worker"))
    assert worker.params["memory_limit"] == "0" and worker.params["scheduler"] == "tls://bigviz-scheduler:8786"
    serve = cli.commands["serve"].make_context("serve", placed("server"))
    assert serve.params["scheduler"] == worker.params["scheduler"]


def test_the_roles_fit_each_other() -> None:
    (service,) = OBJECTS["Service", "bigviz-scheduler"]["spec"]["ports"]
    address = f"tls://bigviz-scheduler:{service['port']}"
    assert options("server")["--scheduler"] == address and address in args("worker")
    assert options("scheduler")["--port"] == str(PODS["scheduler"]["containers"][0]["ports"][0]["containerPort"])
    ports = {each["name"]: str(each["containerPort"]) for each in PODS["worker"]["containers"][0]["ports"]}
    assert (options("worker")["--worker-port"], options("worker")["--nanny-port"]) == (ports["worker"], ports["nanny"])
    assert OBJECTS["StatefulSet", "bigviz-worker"]["spec"]["serviceName"] in {name for _, name in OBJECTS}
    mounts = [
        {each["name"]: each["mountPath"] for each in PODS[role]["containers"][0]["volumeMounts"]} for role in PODS
    ]
    assert len({each["tables"] for each in mounts if "tables" in each}) == 1, "files are found by the same paths"
    stores = options("server")["--store-dir"]
    assert all(stores.startswith(f"{each['data']}/") for each in mounts if "data" in each), "workers keep indexes there"
    assert len({pod["containers"][0]["image"] for pod in PODS.values()}) == 1, "the same version of bigviz"
    roles = OBJECTS["NetworkPolicy", "bigviz-dask"]["spec"]["podSelector"]["matchExpressions"][0]["values"]
    assert set(roles) | {"server"} == set(PODS)


def test_the_server_is_set_up_as_one_without_workers() -> None:
    alone = {each["kind"]: each for each in yaml.safe_load_all(ALONE)}
    (server,) = alone["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert set(server["args"]) <= set(args("server"))
    assert alone["Ingress"]["spec"] == OBJECTS["Ingress", "bigviz"]["spec"]
