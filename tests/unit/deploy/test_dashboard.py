import itertools
import json
import re

import pytest

from faced_service.metrics import Metrics, SharedMetrics


@pytest.fixture(scope="module")
def dashboard(request):
    path = request.config.rootpath / "deploy/grafana/dashboards/faced.json"
    return json.loads(path.read_text(encoding="utf-8"))


def samples(family):
    """What Prometheus can be asked for: counters end with _total, histograms have three."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
    return {family.name + suffix for suffix in suffixes}


def expressions(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in dashboard["templating"]["list"]:
        yield variable["query"]["query"]


def test_every_metric_that_it_shows_exists_and_every_metric_is_shown(dashboard, tmp_path):
    families = [*Metrics().registry.collect(), *SharedMetrics(tmp_path).registry.collect()]
    shown = {name for text in expressions(dashboard) for name in re.findall(r"faced_[a-z_]+", text)}
    assert shown - set().union(*map(samples, families)) == set()
    assert [family.name for family in families if not samples(family) & shown] == []


def test_panels_have_ids_of_their_own_and_do_not_lie_upon_each_other(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in (panel["gridPos"] for panel in panels)
    ]
    assert all(x < 24 for place in places for x, _ in place)
    assert not any(a & b for a, b in itertools.combinations(places, 2))


def test_it_reads_from_the_source_that_is_provisioned(dashboard, request):
    folder = request.config.rootpath / "deploy/grafana/provisioning"
    provisioned = (folder / "datasources/prometheus.yaml").read_text(encoding="utf-8")
    used = {panel["datasource"]["uid"] for panel in dashboard["panels"] if "datasource" in panel}
    assert used == {"prometheus"}
    assert "uid: prometheus" in provisioned
