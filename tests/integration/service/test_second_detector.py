"""A detector that is served beside that of faces: its things have boxes and labels, and nothing that describes them."""

import json

import cv2
import numpy as np
import pytest

from faced_cli.main import main
from faced_client import Client
from faced_models.bundle import load_models
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.scale import ScanPlan
from faced_proto.types import AnalysisOptions, Categories, StreamConfig, StreamMode
from faced_service.embedded import EmbeddedServer
from faced_service.main import main as service_main
from faced_service.settings import Settings
from faced_train import eval_detector
from tests.networks import detector_entry, lights

PLAN = ScanPlan(0, 1.0, 0, 1.0, 80.0)


def _file(folder, windows=("40x40 lamp",), **changes):
    path = folder / "mine.toml"
    digest = lights(folder / "bright.onnx", len(windows), than=0.48)
    path.write_text(detector_entry(digest, windows, more="beside = true", **changes))
    return path


@pytest.fixture(scope="module")
def models_file(tmp_path_factory):
    return _file(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def scene(astronaut):
    """A face, and a lamp in the corner that is farthest from it."""
    picture = np.minimum(astronaut, 200)
    picture[420:500, 10:90] = 255
    return np.ascontiguousarray(picture)


@pytest.fixture(scope="module")
def client(models_file):
    with EmbeddedServer(Settings(models_file=str(models_file))) as target, Client(target) as client:
        yield client


def _told(faces):
    """By label."""
    return {face.detection.label: face for face in faces}


def _xml_sides(box):
    """As imglab writes them."""
    return f"left='{round(box.left)}' top='{round(box.top)}' width='{round(box.width)}' height='{round(box.height)}'"


def test_each_finds_what_it_finds_alone(models_file, scene):
    models = load_models(models_file=models_file, attributes=[], cpu_threads=1)
    (faces,) = models.detector.detect([scene], PLAN, [0.0])
    (things,) = models.beside[0].detector.detect([scene], PLAN, [0.0])
    (found,) = models.searching.detect([scene], PLAN, [0.0])
    assert (len(faces), {one.label for one in things}) == (1, {"lamp"})
    assert sorted(found, key=lambda one: one.label) == [*faces, *things]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert [models.is_face(one) for one in (*faces, *things)] == [True] + [False] * len(things)


def test_faces_are_described_and_things_have_a_label(client, scene):
    told = _told(client.analyze(scene, upsample_times=0, attributes=["emotion", "age"]).faces)
    assert set(told) == {"", "lamp"}
    assert [outcome.attribute for outcome in told[""].attributes] == ["emotion", "age"]
    assert len(told[""].landmarks) == 5
    assert isinstance(told[""]["emotion"].axis, Categories)
    lamp = told["lamp"]
    assert (lamp.attributes, lamp.landmarks) == ((), ())
    assert (lamp.detection.box.left + lamp.detection.box.right) / 2 == pytest.approx(50, abs=30)
    assert (lamp.detection.box.top + lamp.detection.box.bottom) / 2 == pytest.approx(460, abs=30)


def test_a_picture_without_faces_has_things_all_the_same(client):
    dark = np.full((200, 200, 3), 90, np.uint8)
    dark[60:140, 60:140] = 255
    told = _told(client.analyze(dark, upsample_times=0).faces)
    assert set(told) == {"lamp"}
    assert told["lamp"].attributes == ()


def test_the_server_lists_both(client):
    names = [model.model.partition("@")[0] for model in client.server_info().models]
    assert names[:3] == ["mmod", "bright", "dlib-landmarks-5"]


def test_streams_track_both_and_scan_every_frame_in_full(client, scene):
    options = AnalysisOptions(attributes=("emotion",), upsample_times=0)
    config = StreamConfig(StreamMode.EVERY_FRAME, options, scan_interval=5, track=True, smoothing_half_life=1.0)
    rows = [outcome.result for outcome in client.stream([scene] * 3, config)]
    assert [row.full_scan for row in rows] == [True] * 3
    numbers = [{label: face.track_id for label, face in _told(row.faces).items()} for row in rows]
    assert numbers[0].keys() == {"", "lamp"}
    assert numbers == [numbers[0]] * 3
    assert _told(rows[2].faces)[""]["emotion"]


def test_the_command_line_tells_and_draws_both(models_file, scene, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("FACED_SERVER", raising=False)
    monkeypatch.setenv("FACED_MODELS_FILE", str(models_file))
    picture = tmp_path / "scene.png"
    cv2.imwrite(str(picture), scene[:, :, ::-1])
    drawn = tmp_path / "drawn"
    assert main(["image", str(picture), "--upsample", "0", "--json", "--annotate", str(drawn)]) == 0
    told = {face.get("label"): face["attributes"] for face in json.loads(capsys.readouterr().out)["faces"]}
    assert set(told) == {None, "lamp"}
    assert "emotion" in told[None]
    assert told["lamp"] == {}
    assert main(["image", str(picture), "--upsample", "0"]) == 0
    assert "lamp" in capsys.readouterr().out


def test_each_is_evaluated_alone(models_file, scene, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "scene.png"), scene[:, :, ::-1])
    models = load_models(models_file=models_file, attributes=[], cpu_threads=1)
    lamp = f"<box {_xml_sides(models.beside[0].detector.detect([scene], PLAN, [0.0])[0][0].box)}/>"
    labels = tmp_path / "lamps.xml"
    labels.write_text(f"<dataset><images><image file='scene.png'>{lamp}</image></images></dataset>")
    words = ["eval", "detector", "--data", str(labels), "--models-file", str(models_file), "--upsample", "0", "--json"]
    records = {}
    for name in ("mmod", "bright"):
        assert service_main([*words, "--model", name]) == 0
        records[name] = json.loads(capsys.readouterr().out)
    assert [record["model"].partition("@")[0] for record in records.values()] == ["mmod", "bright"]
    # The face is where no lamp is.
    assert (records["mmod"]["missed"], records["bright"]["missed"]) == (1, 0)
    assert service_main([*words, "--model", "dark"]) != 0
    assert "there is no detector 'dark'; there are mmod, bright" in capsys.readouterr().err


def test_boxes_of_labels_that_it_does_not_know_are_left_out_with_their_number(models_file, scene, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "scene.png"), scene[:, :, ::-1])
    detector = load_models(models_file=models_file, attributes=[], cpu_threads=1).beside[0].detector
    lamp = _xml_sides(detector.detect([scene], PLAN, [0.0])[0][0].box)
    face = "left='170' top='60' width='110' height='110'"
    words = ["eval", "detector", "--models-file", str(models_file), "--model", "bright", "--upsample", "0", "--json"]

    def judged(lamp_is):
        labels = tmp_path / f"{lamp_is}.xml"
        boxes = f"<box {lamp}><label>{lamp_is}</label></box><box {face}><label>face</label></box>"
        labels.write_text(f"<dataset><images><image file='scene.png'>{boxes}</image></images></dataset>")
        return service_main([*words, "--data", str(labels)]), capsys.readouterr()

    code, said = judged("lamp")
    record = json.loads(said.out)
    note = "1 box labelled 'face': the detector knows lamp"
    assert (code, record["faces"], record["missed"], record["data"]["left_out"]) == (0, 1, 0, [note])
    assert f"faced eval: left out: {note}" in said.err
    code, said = judged("sun")
    assert code != 0
    assert "no labelled face counts: all are ignored or left out" in said.err


def test_an_evaluation_that_was_cut_off_keeps_the_labels(models_file, scene, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FACED_CACHE_DIR", str(tmp_path / "cache"))
    cv2.imwrite(str(tmp_path / "scene.png"), scene[:, :, ::-1])
    detector = load_models(models_file=models_file, attributes=[], cpu_threads=1).beside[0].detector
    lamp = _xml_sides(detector.detect([scene], PLAN, [0.0])[0][0].box)
    labels = tmp_path / "lamps.xml"
    labels.write_text(
        f"<dataset><images><image file='scene.png'><box {lamp}><label>lamp</label></box></image></images></dataset>"
    )
    words = ["eval", "detector", "--models-file", str(models_file), "--model", "bright", "--upsample", "0", "--json"]
    words += ["--data", str(labels)]

    def cut_off(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(eval_detector, "_read", cut_off)
        with pytest.raises(KeyboardInterrupt):
            service_main(words)
    # Nothing is looked at again.
    monkeypatch.setattr(eval_detector, "_detect", cut_off)
    assert service_main(words) == 0
    assert json.loads(capsys.readouterr().out)["missed"] == 0


def test_labels_tell_the_detectors_apart(tmp_path):
    with pytest.raises(WeightsError, match=r"network 'bright': a detector beside another needs windows with labels"):
        load_manifest(models_file=_file(tmp_path, ["40x40"]))
    path = _file(tmp_path)
    other = detector_entry("0" * 64, ["50x40 lamp"], name="other", more="beside = true").replace(
        "bright.onnx", "o.onnx"
    )
    path.write_text(path.read_text() + other)
    with pytest.raises(WeightsError, match="network 'other': the label 'lamp' is that of bright already"):
        load_manifest(models_file=path)


def test_it_takes_nobodys_place(models_file, tmp_path):
    manifest = load_manifest(models_file=models_file)
    assert (manifest.detector.name, [entry.name for entry in manifest.beside]) == ("mmod", ["bright"])
    with pytest.raises(WeightsError, match="'mmod': it has the name of the detector that it is to be beside"):
        load_manifest(models_file=_file(tmp_path, name="mmod"))
