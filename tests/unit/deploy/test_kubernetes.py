"""The manifests against Kubernetes' schemas, against the server, and against each other."""

import re

import kubernetes_validate
import pytest
import yaml

from faced_service.metrics import Metrics
from faced_service.setting_sources import load_settings
from tests.conftest import ROOT

FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ["1.27", kubernetes_validate.latest_version().rpartition(".")[0]]


def documents():
    return [one for path in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


def the(kind, name=None):
    (found,) = [one for one in documents() if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    return found


@pytest.fixture(scope="module")
def pod():
    return the("Deployment")["spec"]["template"]


@pytest.fixture(scope="module")
def container(pod):
    (container,) = pod["spec"]["containers"]
    return container


@pytest.fixture(scope="module")
def settings(container):
    given = {variable["name"]: variable["value"] for variable in container["env"]}
    return load_settings(None, given | {"FACED_HOST": "0.0.0.0", "FACED_LOG_FORMAT": "json"}, {})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", documents(), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_every_manifest_follows_the_schemas(document, version):
    assert kubernetes_validate.validate(document, version, strict=True) == version


def test_a_wrong_manifest_is_found():
    wrong = the("PodDisruptionBudget")
    wrong["spec"]["maxUnavailabel"] = wrong["spec"].pop("maxUnavailable")
    with pytest.raises(kubernetes_validate.ValidationError, match="maxUnavailabel"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_settings_are_ones_that_the_server_has_and_safe_on_a_network(settings, container):
    assert settings.authenticates
    assert not settings.insecure
    assert str(settings.cpu_threads) == container["resources"]["requests"]["cpu"]


def test_the_variables_of_the_service_are_not_taken_for_settings(pod):
    """Else its containers have FACED_PORT=tcp://... of the service `faced`."""
    assert the("Service")["metadata"]["name"] == "faced"
    assert pod["spec"]["enableServiceLinks"] is False


def test_the_autoscaler_counts_waits_for_the_detector_alone():
    """What the adapter looks for is not what it asks for: the queue must be named there too."""
    (rule,) = yaml.safe_load(the("ConfigMap", "prometheus-adapter")["data"]["config.yaml"])["rules"]
    assert rule["metricsQuery"].count("<<.Series>>{") == 2
    assert rule["metricsQuery"].count('<<.Series>>{queue="detect",<<.LabelMatchers>>}') == 2


def test_it_has_time_to_drain(settings, pod):
    assert pod["spec"]["terminationGracePeriodSeconds"] >= settings.drain_wait_s + settings.drain_grace_s + 10


def test_ports_are_those_that_it_listens_on(settings, container):
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": settings.port, "metrics": settings.metrics_port}
    assert [port["targetPort"] for port in the("Service")["spec"]["ports"]] == ["grpc"]


def test_probes_ask_for_health_by_the_authority_in_the_secret(container):
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        command = container[name]["exec"]["command"]
        assert command[:2] == ["faced", "health"]
        assert command[command.index("--tls-ca") + 1] == "/etc/faced/tls/ca.crt"


def test_secrets_have_what_the_settings_name(pod, container, settings):
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    files = set()
    for volume in pod["spec"]["volumes"]:
        if "secret" in volume:
            keys = the("Secret", volume["secret"]["secretName"])["stringData"]
            files |= {f"{mounts[volume['name']]}/{key}" for key in keys}
    assert files == {*map(str, (settings.tls_cert, settings.tls_key, settings.token_file)), "/etc/faced/tls/ca.crt"}


def test_everything_selects_the_same_pods(pod):
    labels = pod["metadata"]["labels"]
    for selected in (
        the("Deployment")["spec"]["selector"]["matchLabels"],
        the("Service")["spec"]["selector"],
        the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        pod["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ):
        assert selected.items() <= labels.items()
    assert the("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] == the("Deployment")["metadata"]["name"]


def test_the_autoscalers_metric_is_made_of_one_that_the_server_has():
    (metric,) = the("HorizontalPodAutoscaler")["spec"]["metrics"]
    (rule,) = yaml.safe_load(the("ConfigMap")["data"]["config.yaml"])["rules"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    series, labels = re.fullmatch(r"(\w+)\{(.*)\}", rule["seriesQuery"]).groups()
    sample = re.search(r'queue="(\w+)"', labels)[1]
    there = {(one.name, one.labels.get("queue")) for family in Metrics().registry.collect() for one in family.samples}
    assert (series, sample) in there
