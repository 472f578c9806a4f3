"""deploy/kubernetes.yaml: its objects are of Kubernetes' types and fit each other; what they run starts a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from lightkube import codecs

from ..patience import PATIENCE
from .proxies import DEPLOY
from .started import started, status

TEXT = (DEPLOY / "kubernetes.yaml").read_text()


def objects() -> dict[str, dict[str, Any]]:
    """The objects by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(TEXT)}


def pod() -> dict[str, Any]:
    found: dict[str, Any] = objects()["Deployment"]["spec"]["template"]["spec"]
    return found


def test_all_fields_are_those_of_kubernetes() -> None:
    typed = codecs.load_all_yaml(TEXT)
    assert [each.kind for each in typed] == list(objects())
    for each, given in zip(typed, objects().values(), strict=True):
        assert each.to_dict() == given, "a field that does not exist is lost"


def test_the_objects_fit_each_other() -> None:
    all_of, spec = objects(), objects()["Deployment"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert labels == spec["selector"]["matchLabels"] == all_of["Service"]["spec"]["selector"]
    volumes = {each["name"]: each for each in pod()["volumes"]}
    for container in (*pod()["initContainers"], *pod()["containers"]):
        assert {each["name"] for each in container["volumeMounts"]} == set(volumes)
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == all_of["PersistentVolumeClaim"]["metadata"]["name"]
    (server,), (service,) = pod()["containers"], all_of["Service"]["spec"]["ports"]
    assert service["targetPort"] == server["ports"][0]["name"] == server["readinessProbe"]["httpGet"]["port"]
    assert server["ports"][0]["containerPort"] == 5006, "where bigviz listens"
    (rule,) = all_of["Ingress"]["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert (backend["name"], backend["port"]["name"]) == (all_of["Service"]["metadata"]["name"], service["name"])
    assert f"--public-url=https://{rule['host']}" in server["args"]
    assert spec["replicas"] == 1 and spec["strategy"]["type"] == "Recreate", "a library has one server"


def test_what_it_runs_is_healthy(tmp_path: Path) -> None:
    (admin,), (server,) = pod()["initContainers"], pod()["containers"]
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "password").write_text("correct horse battery staple\n")
    (tmp_path / "secrets" / "secret").write_text("0123456789abcdef" * 4)

    def placed(text: str) -> str:
        return text.replace("/data", f"{tmp_path}/data").replace("/secrets/", f"{tmp_path}/secrets/")

    (tmp_path / "data").mkdir()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    said = []
    for _ in range(2):  # a pod that starts again
        command = [*admin["command"], *map(placed, admin["args"])]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said == ["Added the admin admin.\n", ""]
    with started([placed(each) for each in server["args"]]) as port:
        for probe in (server["readinessProbe"]["httpGet"], server["livenessProbe"]["httpGet"]):
            (host,) = probe["httpHeaders"]
            assert status(port, probe["path"], **{host["name"]: host["value"].replace("5006", str(port))}) == 200
