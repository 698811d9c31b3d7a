import hashlib
import re
from dataclasses import replace

import pytest

from faced_models.calibration import OrdinalKernel
from faced_models.crop import CropKind, CropRecipe
from faced_models.errors import WeightsError
from faced_models.manifest import MANIFEST, load_manifest
from faced_models.network_entry import Activation, Colour, Layout, NetworkInput
from faced_models.oversample import Oversample
from faced_models.store import WEIGHTS
from faced_proto.types import Categories, IntegerBins, ModelRole
from tests.conftest import ROOT


def test_the_default_networks():
    manifest = load_manifest()
    assert [(e.role, e.attribute, e.file) for e in manifest.networks] == [
        (ModelRole.DETECTOR, "", "mmod.onnx"),
        (ModelRole.LANDMARKS, "", "landmarks.npz"),
        (ModelRole.ATTRIBUTE, "emotion", "emotion.onnx"),
        (ModelRole.ATTRIBUTE, "emotion", "faced-emotion.onnx"),
        (ModelRole.ATTRIBUTE, "gender", "gender.onnx"),
        (ModelRole.ATTRIBUTE, "age", "age.onnx"),
    ]
    emotion, age, gender = (manifest.attributes[name] for name in ("emotion", "age", "gender"))
    assert emotion.axis == Categories(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"))
    assert age.axis == IntegerBins(first=0, width=1, last_open=True, count=81)
    assert age.axis.labels[-1] == "80+"
    assert gender.axis == Categories(("female", "male"))
    assert [e.crop for e in (emotion, age, gender)] == [
        CropRecipe(CropKind.BLEND, 40, 0.2),
        CropRecipe(CropKind.CHIP, 64, 0.2),
        CropRecipe(CropKind.CHIP, 32, 0.2),
    ]
    assert age.input == NetworkInput(64, Colour.RGB, (122.781998, 117.000999, 104.297997), (1 / 256,) * 3)
    assert all(entry.calibrated for entry in manifest.attributes.values())


def test_emotion_sees_grey_from_minus_one_to_one():
    values = load_manifest().attributes["emotion"].input
    assert values.colour is Colour.GREY
    assert [(v - values.mean[0]) * values.scale[0] for v in (0, 127.5, 255)] == pytest.approx([-1, 0, 1])


def test_the_notices_name_every_original():
    notices = (WEIGHTS / "NOTICES.md").read_text()
    for entry in load_manifest().networks:
        assert entry.source is None or entry.source.sha256 in notices
        assert f"`{entry.file}`" in notices


def test_a_network_that_was_trained_here_names_its_recipe_as_it_is():
    for entry in load_manifest().networks:
        assert (entry.source is None) == (entry.trained is not None)
        if entry.trained is not None:
            recipes = {path.read_bytes() for path in (ROOT / "models/faced_train/training/recipes").glob("*.toml")}
            assert entry.trained.recipe_sha256 in {hashlib.sha256(recipe).hexdigest() for recipe in recipes}


def test_an_alternative_is_chosen_by_name():
    manifest = load_manifest()
    default, other = manifest.attributes["emotion"], manifest.network("mini-xception")
    assert (default.name, other.alternative, default.axis) == ("faced-emotion", True, other.axis)
    chosen = manifest.choosing(["mini-xception"])
    assert chosen.attributes["emotion"].model_id == other.model_id
    assert chosen.network("emotion").name == "mini-xception"
    assert chosen.network("faced-emotion").alternative
    assert chosen.choosing(["faced-emotion"]).attributes == manifest.attributes
    for names, message in (
        (["mood"], "no network 'mood'; there are"),
        (["mmod"], "network 'mmod' is for detector, not for an attribute"),
        (["mini-xception", "faced-emotion"], "two of the networks that are chosen are for emotion"),
    ):
        with pytest.raises(KeyError, match=message):
            manifest.choosing(names)


def test_a_model_id_is_name_version_and_eight_digits():
    for entry in load_manifest().networks:
        assert re.fullmatch(rf"{entry.name}@{entry.version}\+[0-9a-f]{{8}}", entry.model_id)


def test_a_model_id_changes_with_everything_that_changes_numbers():
    entry = load_manifest().attributes["emotion"]
    detector = load_manifest().detector
    changed = [
        replace(entry, sha256="0" * 64),
        replace(entry, input=replace(entry.input, scale=(1.0,))),
        replace(entry, input=replace(entry.input, layout=Layout.NHWC)),
        replace(entry, activation=Activation.NONE),
        replace(entry, output="other"),
        replace(entry, input=replace(entry.input, mean=(127.0,))),
        replace(entry, crop=CropRecipe(CropKind.CHIP, 64, 0.2)),
        replace(entry, axis=Categories(("a", "b"))),
        replace(detector, name=entry.name, options=replace(detector.options, iou=0.5)),
        replace(detector, name=entry.name),
    ]
    ids = [entry.model_id, *(e.model_id for e in changed)]
    assert len(set(ids)) == len(ids)
    assert replace(entry, licence="other").model_id == entry.model_id


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(KeyError, match="no network 'x'; there are mmod, dlib-landmarks-5, mini-xception"):
        load_manifest().network("x")


def plain():
    """The manifest without calibrations and oversampling."""
    return re.sub(r"^(calibration|oversample) = .*\n", "", MANIFEST.read_text(), flags=re.MULTILINE)


FITTED = 'data = "FER2013", faces = 9, split = "' + "0" * 64 + '"'


def _calibrated(calibration, message):
    return ('licence = "MIT"', f'licence = "MIT"\ncalibration = {{ {calibration}, {FITTED} }}', message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('role = "detector"', 'role = "finder"', "network 'mmod': role is 'finder', expected one of detector"),
        ('version = "1"', "version = 1", "network 'mmod': version is 1, expected a string"),
        ('file = "age.onnx"', 'file = "../age.onnx"', "network 'dlib-age': file is '../age.onnx'"),
        ('file = "age.onnx"', 'file = "gender.onnx"', "two networks have the file 'gender.onnx'"),
        ('attribute = "age"', 'attribute = "gender"', "two networks have the attribute 'gender'"),
        ('role = "landmarks"', 'role = "detector"', "'dlib-landmarks-5': input is missing"),
        ('title = "Age', 'name = "Age', "network 'dlib-age': card: title is missing"),
        ('licence = "MIT"\n', "", "network 'mini-xception': licence is missing"),
        ('sha256 = "', 'sha256 = "X', "sha256 is 'X"),
        ("bytes = ", "bytes = -", "bytes is -"),
        ("mean = [127.5]", "mean = [127.5, 1.0]", "network 'mini-xception': input: mean is"),
        ("mean = [127.5]", "mean = [nan]", "network 'mini-xception': input: mean is"),
        ("scale = 0.00784313725490196", "scale = 0", "input: scale is 0, expected a number from 1e-09"),
        ('colour = "grey"', 'colour = "cmyk"', "colour is 'cmyk', expected one of rgb, bgr, grey"),
        ("padding = 0.25", 'padding = "0.1"', "crop: padding is '0.1'"),
        ('kind = "blend"', 'kind = "square"', "crop: kind is 'square', expected one of chip, box, blend, face_aligner"),
        ('kind = "blend", size = 64, padding = 0.25', 'kind = "face_aligner", size = 64, padding = 0.5', "below 0.5"),
        ("size = 64, padding = 0.25", "size = 48, padding = 0.25", "crop size is 48, expected the input size 64"),
        ('["female", "male"]', '["male", "male"]', "axis: labels is"),
        ("count = 81", "count = true", "axis: count is True"),
        ("last_open = true", 'last_open = "yes"', "last_open is 'yes'"),
        ('activation = "none"', 'activation = "relu"', "activation is 'relu', expected one of none, softmax, sigmoid"),
        ("scale = 0.00784313725490196", "scale = [1, 2]", "input: scale is [1, 2], expected a list of 1 numbers"),
        ("scale = 0.00784313725490196", "scale = [0]", "input: scale is [0.0], expected numbers from 1e-09"),
        ('attribute = "emotion"', 'attribute = "all"', "attribute is 'all', expected up to 40 of a-z, 0-9 and _"),
        ('attribute = "emotion"', 'attribute = "Mood"', "attribute is 'Mood', expected up to 40"),
        ("[network.mini-xception]", '[network."mini x"]', "name is 'mini x', expected up to 64 letters"),
        ("width = 1, last_open", "width = 5, last_open", "the axis of an age network must have single years"),
        ("iou = 0.3382761351109955", "iou = -1", "network 'mmod': detector: iou is -1"),
        ('format = "keras"', 'format = "torch"', "source: format is 'torch'"),
        ('licence = "MIT"', 'licence = "MIT"\ntemperature = 2.0', "unknown field 'temperature'"),
        ('licence = "MIT"', 'licence = "MIT"\noversample = "twenty"', "oversample is 'twenty', expected one of none"),
        ('licence = "MIT"', 'licence = "MIT"\noversample = "ten_crop"', "crop size is 64, expected for ten_crop 72"),
        _calibrated('kind = "ordinal_kernel"', "calibration: kind is 'ordinal_kernel', expected temperature"),
        _calibrated('kind = "guess"', "calibration: kind is 'guess', expected one of temperature, ordinal_kernel"),
        _calibrated('kind = "temperature", temperature = 0', "calibration: temperature is 0"),
        _calibrated('kind = "temperature", temperature = 1, width = [1]', "calibration: unknown field 'width'"),
        _calibrated('kind = "temperature"', "calibration: temperature is missing"),
        ("[network.mmod]", "[network", "cannot be read"),
        ("[network.mmod]", "mmod = 3\n[network.mmod]", "unknown field 'mmod'"),
    ],
)
def test_a_wrong_manifest_names_entry_and_field(tmp_path, old, new, message):
    text = plain()
    assert old in text
    path = tmp_path / "manifest.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(WeightsError, match=re.escape(message)):
        load_manifest(path)


def test_a_manifest_without_a_detector_is_refused(tmp_path):
    path = tmp_path / "manifest.toml"
    path.write_text("[network.dlib-landmarks" + MANIFEST.read_text().split("[network.dlib-landmarks", 1)[1])
    with pytest.raises(WeightsError, match="no network has the role 'detector'"):
        load_manifest(path)


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"other\.toml cannot be read"):
        load_manifest(tmp_path / "other.toml")


def test_a_calibration_is_read_and_changes_the_model_id(tmp_path):
    kernel = f'kind = "ordinal_kernel", temperature = 1.5, knots = [0, 80], centre = [5, 75], width = [4, 8], {FITTED}'
    path = tmp_path / "manifest.toml"
    text = plain().replace("[network.dlib-age]", f"[network.dlib-age]\ncalibration = {{ {kernel} }}")
    path.write_text(text)
    entry = load_manifest(path).network("age")
    bare = replace(load_manifest().network("age").raw, oversample=Oversample.NONE)
    assert entry.calibrated
    assert isinstance(entry.calibration, OrdinalKernel)
    assert entry.calibration.width == (4.0, 8.0)
    assert entry.calibration.fitted_on.faces == 9
    assert entry.model_id != bare.model_id
    assert entry.raw.model_id == bare.model_id
    assert replace(bare, oversample=Oversample.FLIP).model_id != bare.model_id


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("knots = [80, 0], centre = [0, 80], width = [1, 1]", "knots is [80.0, 0.0], expected rising numbers"),
        ("knots = [], centre = [], width = []", "knots is [], expected a list of numbers"),
        ("knots = [0, 80], centre = [0], width = [1, 1]", "centre is [0], expected a list of 2 numbers"),
        ("knots = [0, 80], centre = [0, 80], width = [1, 0]", "width is [1.0, 0.0], expected numbers above 0"),
    ],
)
def test_a_wrong_kernel_is_named(tmp_path, fields, message):
    calibration = f'calibration = {{ kind = "ordinal_kernel", temperature = 1, {fields}, {FITTED} }}'
    path = tmp_path / "manifest.toml"
    path.write_text(plain().replace("[network.dlib-age]", f"[network.dlib-age]\n{calibration}"))
    with pytest.raises(WeightsError, match=re.escape(message)):
        load_manifest(path)
