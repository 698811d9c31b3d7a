"""Training a detector: windows, loss, bad boxes, resuming, and the network that comes of it."""

from copy import deepcopy
from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

from faced_models.boxes import Overlap, Rectangle  # noqa: E402
from faced_models.convert.mmod_graph import mmod_graph  # noqa: E402
from faced_models.manifest import load_manifest  # noqa: E402
from faced_models.network_entry import DetectorWindow  # noqa: E402
from faced_models.ort_session import OrtSession  # noqa: E402
from faced_models.store import verified_path  # noqa: E402
from faced_service.main import main  # noqa: E402
from faced_train.datasets.imglab import BoxedPicture, LabelledBox, write_boxes  # noqa: E402
from faced_train.errors import DataError  # noqa: E402
from faced_train.training.mmod import run  # noqa: E402
from faced_train.training.mmod.checkpoint import read_checkpoint, write_checkpoint  # noqa: E402
from faced_train.training.mmod.geometry import Grid, Target, iou  # noqa: E402
from faced_train.training.mmod.loss import LossOptions, judge  # noqa: E402
from faced_train.training.mmod.network import small_network  # noqa: E402
from faced_train.training.mmod.pictures import read_pictures  # noqa: E402
from faced_train.training.mmod.plan import Plan, propose  # noqa: E402
from faced_train.training.mmod.plateau import without_decrease  # noqa: E402
from faced_train.training.mmod.start import start_of  # noqa: E402
from faced_train.training.mmod.training import DetectorTraining  # noqa: E402
from faced_train.training.mmod.windows import choose_overlaps, choose_windows  # noqa: E402

SMALL = Plan(batch=2, crop=120)
FULL = Plan("full", 80, 80, rate=1e-4, batch=2, crop=120)
FACE = (DetectorWindow(40, 40, ""),)


def _square(left, top, side, label="", *, ignored=False):
    return Target(Rectangle(left, top, left + side - 1, top + side - 1), label, ignored)


def _labelled(folder, boxes):
    chance = np.random.default_rng(0)
    image = chance.integers(90, 160, (160, 200, 3), np.uint8)
    for box in boxes:
        centre = (box.left + box.width // 2, box.top + box.height // 2)
        cv2.circle(image, centre, max(1, box.width // 2), (250, 250, 250), -1)
    cv2.imwrite(str(folder / "one.png"), image)
    write_boxes(folder / "training.xml", "test", [BoxedPicture("one.png", tuple(boxes))])
    return folder / "training.xml"


def test_the_loss_is_that_of_the_worst_set_of_detections():
    """By King's definition: the most that detections that do not overlap can score with their mistakes."""
    target = _square(20, 20, 44)
    layout = Grid((100, 100), FACE, (1, 1)).layout
    grid = Grid((100, 100), FACE, small_network(1).output_shape(layout.height, layout.width))
    options = LossOptions(Overlap(0.1, 1.0))
    place = grid.place(target, 0.5)
    far = next(i for i, box in enumerate(grid.rectangles) if iou(target.box, _whole(box)) == 0)
    scores = np.full((1, 1, *grid.shape), -3.0, np.float32)
    scores.reshape(-1)[[place, far]] = 0.25, -0.5
    best = -np.inf
    for count in range(3):
        for chosen in combinations([place, far], count):
            mistakes = (place not in chosen) + (far in chosen)
            best = max(best, mistakes + sum(float(scores.reshape(-1)[one]) for one in chosen))
    assert judge(scores, [[target]], grid, options).loss == pytest.approx(best - 0.25)


def _whole(box):
    return Rectangle(*(int(value) for value in box))


def test_windows_cover_the_shapes_of_each_label():
    tall = Target(Rectangle(0, 0, 19, 59), "tall")
    truths = [[_square(0, 0, 50, "face"), _square(90, 90, 70, "face"), tall], [_square(1, 1, 99, "odd", ignored=True)]]
    assert choose_windows(truths, 40, 20) == (DetectorWindow(40, 40, "face"), DetectorWindow(20, 60, "tall"))


def test_suppression_keeps_the_labelled_boxes_apart():
    overlaps = choose_overlaps([[_square(0, 0, 40), _square(20, 0, 40)]])
    assert overlaps.iou == pytest.approx(1 / 3 + 0.1 * 2 / 3, abs=1e-6)
    assert overlaps.covered == pytest.approx(0.55, abs=1e-6)
    assert not overlaps(Rectangle(0, 0, 39, 39), Rectangle(20, 0, 59, 39))


def test_a_loss_that_falls_is_no_plateau():
    chance = np.random.default_rng(0)
    noise = chance.normal(0, 0.1, 400)
    assert not without_decrease((np.linspace(3, 1, 400) + noise).tolist(), 300)
    assert without_decrease((np.linspace(1, 1.2, 400) + noise).tolist(), 300)
    assert not without_decrease(noise[:299].tolist(), 300)


def test_bad_boxes_and_pictures_are_left_out_by_file_and_line(tmp_path):
    path = _labelled(tmp_path, [LabelledBox(20, 20, 60, 60), LabelledBox(10, 10, 0, 5), LabelledBox(190, 150, 40, 40)])
    text = path.read_text("utf-8").replace("</images>", "<image file='gone.jpg'/>\n</images>")
    path.write_text(text, "utf-8")
    pictures = read_pictures(path)
    assert [len(targets) for targets in pictures.truths] == [1]
    assert pictures.notes == (
        f"{path}:7: box in one.png is left out: 0 x 5 is no size",
        f"{path}:8: box in one.png is left out: its centre is outside the picture of 200 x 160",
        f"{path}:10: picture gone.jpg is left out: No such file or directory",
    )


def test_nothing_to_learn_is_said(tmp_path):
    path = _labelled(tmp_path, [LabelledBox(20, 20, 60, 60, ignored=True)])
    with pytest.raises(DataError, match="no box is left to be learnt: all are ignored"):
        read_pictures(path)


def test_boxes_that_no_crop_teaches_are_told_by_file_and_line(tmp_path):
    boxes = [LabelledBox(20, 20, 60, 60), LabelledBox(21, 20, 60, 60), LabelledBox(0, 100, 190, 6)]
    path = _labelled(tmp_path, boxes)
    training = DetectorTraining(Plan(crop=120), read_pictures(path), tmp_path / "run", 1)
    assert training.unreached == (
        f"{path}:7: box in one.png is not learnt: another box lies on the same place of the network's grid",
        f"{path}:8: box in one.png is not learnt: 190 px long and 6 px short: at a size that is learnt it is larger "
        "than a crop of 120 px",
    )


def test_a_run_with_no_box_within_reach_is_refused(tmp_path):
    pictures = read_pictures(_labelled(tmp_path, [LabelledBox(0, 100, 190, 6)]))
    with pytest.raises(DataError, match=r"no box can be learnt: .*training\.xml:6: box in one\.png"):
        _ = DetectorTraining(Plan(crop=120), pictures, tmp_path / "run", 1).unreached


def test_the_batch_follows_memory_and_crop():
    assert propose(10**12, 200, 36_000_000) == (150, 300)
    batch, patience = propose(2**30, 200, 36_000_000)
    assert 1 <= batch < 20
    assert patience == 3000
    assert propose(2**30, 100, 36_000_000)[0] // batch in (4, 5)
    assert propose(1, 200, 36_000_000)[0] == 1


@pytest.mark.parametrize("plan", [SMALL, FULL], ids=lambda plan: plan.network)
def test_a_run_that_was_cut_off_ends_with_the_same_weights(tmp_path, plan):
    pictures = read_pictures(_labelled(tmp_path, [LabelledBox(30, 30, 60, 60), LabelledBox(120, 70, 50, 50)]))
    whole = DetectorTraining(replace(plan, steps=4), pictures, tmp_path / "whole", 1)
    before = deepcopy(whole.network.state_dict())
    whole.run(lambda _: None)
    DetectorTraining(replace(plan, steps=2), pictures, tmp_path / "cut", 1).run(lambda _: None)
    resumed = DetectorTraining(replace(plan, steps=4), pictures, tmp_path / "cut", 1)
    assert len(resumed.losses) == resumed.saved == 2
    resumed.run(lambda _: None)
    assert resumed.losses == whole.losses
    for name, weights in whole.network.state_dict().items():
        assert torch.equal(weights, resumed.network.state_dict()[name]), name
        assert not torch.equal(weights, before[name]), name
    with pytest.raises(DataError, match="another plan or of other pictures"):
        DetectorTraining(replace(plan, batch=3), pictures, tmp_path / "cut", 1)


@pytest.mark.parametrize("flags", [[], ["--patience", "70"]], ids=["no flags", "patience"])
def test_the_same_command_goes_on_whatever_memory_is_free(tmp_path, monkeypatch, capsys, flags):
    path = _labelled(tmp_path, [LabelledBox(30, 30, 60, 60)])
    words = ["train", "detector", str(path), "--folder", str(tmp_path / "run"), "--crop", "80", "--threads", "1"]
    words += flags
    monkeypatch.setattr(run, "propose", lambda *_: (2, 3000))
    assert main([*words, "--steps", "1"]) == 0
    monkeypatch.setattr(run, "propose", lambda *_: (3, 3000))
    capsys.readouterr()
    assert main([*words, "--steps", "2"]) == 0
    said = capsys.readouterr().err
    assert f"batches of 2, patience {flags[1] if flags else 3000}," in said
    assert "goes on after step 1" in said
    assert main([*words, "--steps", "2", "--batch", "3"]) == 3
    assert "another plan or of other pictures" in capsys.readouterr().err


def test_what_earlier_versions_saved_is_gone_on_with_when_batch_is_given(tmp_path):
    pictures = read_pictures(_labelled(tmp_path, [LabelledBox(30, 30, 60, 60)]))
    DetectorTraining(replace(SMALL, steps=1), pictures, tmp_path, 1).run(lambda _: None)
    content = read_checkpoint(tmp_path)
    assert (content.pop("batch"), content.pop("patience")) == (2, 300)
    write_checkpoint(tmp_path, content)
    assert DetectorTraining(SMALL, pictures, tmp_path, 1).saved == 1


def test_what_is_no_checkpoint_is_refused_by_its_name(tmp_path):
    (tmp_path / "detector.pt").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"detector\.pt: is no checkpoint: "):
        read_checkpoint(tmp_path)


def test_what_is_exported_scores_as_pytorch_does():
    torch.manual_seed(0)
    network = small_network(2)
    pyramids = torch.randn(2, 3, 150, 130)
    network(pyramids)
    network.eval()
    with torch.no_grad():
        expected = network(pyramids).numpy()
    assert expected.shape == (2, 2, *network.output_shape(150, 130))
    found = OrtSession(mmod_graph(network.folded()), device="cpu", threads=1).run(pyramids.numpy())
    assert np.abs(found - expected).max() < 1e-4


def test_the_full_network_begins_as_the_detector_of_the_package():
    """Two labels: each window begins as the package's only one."""
    start = start_of(FULL, [[_square(0, 0, 50, "a"), _square(90, 90, 70, "b")]])
    assert start.windows == (DetectorWindow(80, 80, "a"), DetectorWindow(80, 80, "b"))
    pyramids = np.random.default_rng(0).normal(0, 0.3, (2, 3, 211, 173)).astype(np.float32)
    with torch.no_grad():
        scores = start.network(torch.from_numpy(pyramids)).numpy()
    entry = load_manifest().detector
    packaged = verified_path(entry)
    expected = OrtSession(packaged, device="cpu", threads=1).run(pyramids)
    assert np.abs(expected).max() > 0.1
    assert scores.shape == (2, 2, *start.network.output_shape(211, 173))
    assert np.abs(scores - expected).max() < 1e-4
    found = OrtSession(mmod_graph(start.network.folded()), device="cpu", threads=1).run(pyramids)
    assert np.abs(found - scores).max() < 1e-4
    one = start_of(FULL, [[_square(0, 0, 50)]])
    assert mmod_graph(one.network.folded()) == packaged.read_bytes()
    assert (one.means, one.overlaps.iou) == (entry.input.mean, entry.options.iou)


def test_the_full_networks_window_and_suppression_stay_where_the_boxes_allow():
    beside = [_square(0, 0, 50), _square(40, 0, 52)]
    tall = Target(Rectangle(200, 0, 229, 99))
    assert start_of(FULL, [beside]).windows == (DetectorWindow(80, 80, ""),)
    assert start_of(FULL, [[*beside, tall]]).windows == (DetectorWindow(80, 80, ""), DetectorWindow(80, 267, ""))
    near = [_square(0, 0, 50), _square(10, 0, 50)]
    assert start_of(FULL, [near]).overlaps == choose_overlaps([near])
