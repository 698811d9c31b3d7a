"""Networks of one's own: how their file is merged with the package's manifest."""

import re
from dataclasses import replace

import pytest

from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.network_entry import Activation, Colour, Layout
from faced_proto.types import Categories, ModelRole
from tests.networks import entry

SHA = "ab" * 32
PACKAGE = load_manifest()


@pytest.fixture
def manifest(tmp_path):
    def load(text: str):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return load_manifest(models_file=path)

    return load


def test_an_attribute_is_added_behind_the_packages_own(manifest, tmp_path):
    loaded = manifest(entry(SHA))
    assert list(loaded.attributes) == ["emotion", "gender", "age", "light"]
    light = loaded.attributes["light"]
    assert (light.file, light.version, light.licence) == (str(tmp_path / "brightness.onnx"), "1", "CC0-1.0")
    assert (light.url, light.source, light.bytes, light.reference) == (None, None, None, None)
    assert light.axis == Categories(("dark", "bright"))
    assert (light.input.colour, light.input.layout, light.activation) == (Colour.RGB, Layout.NCHW, Activation.NONE)
    assert light.manifest == str(tmp_path / "mine.toml")
    assert loaded.networks[:6] == PACKAGE.networks


def test_version_and_licence_may_be_left_out(manifest):
    loaded = manifest(entry(SHA).replace('licence = "CC0-1.0"\n', ""))
    assert loaded.attributes["light"].licence == "unstated"


def test_a_scale_for_each_channel_and_another_layout(manifest):
    text = entry(SHA, colour="bgr", scale="[0.1, 0.2, 0.3]", more_input=', layout = "nhwc"', more='output = "p"')
    light = manifest(text).attributes["light"]
    assert light.input.scale == (0.1, 0.2, 0.3)
    assert (light.input.colour, light.input.layout, light.output) == (Colour.BGR, Layout.NHWC, "p")


def test_the_same_attribute_takes_the_place_of_the_packages_network(manifest):
    loaded = manifest(entry(SHA, attribute="emotion"))
    assert list(loaded.attributes) == ["emotion", "gender", "age"]
    assert loaded.attributes["emotion"].name == "brightness"
    assert loaded.network("mini-xception").alternative
    assert len(loaded.networks) == 6


def test_the_same_name_takes_the_place_whatever_its_attribute(manifest):
    loaded = manifest(entry(SHA, name="mini-xception", attribute="mood"))
    assert list(loaded.attributes) == ["mood", "emotion", "gender", "age"]
    assert loaded.attributes["emotion"].name == "faced-emotion"


def test_an_alternative_that_is_named_takes_the_place_of_the_usual_network(manifest):
    loaded = manifest("[network.mini-xception]\n")
    assert loaded.attributes["emotion"].name == "mini-xception"
    assert loaded.attributes["emotion"].calibrated
    assert len(loaded.networks) == 5


def test_one_network_can_take_two_places(manifest):
    loaded = manifest(entry(SHA, name="dlib-gender", attribute="emotion"))
    assert list(loaded.attributes) == ["emotion", "age"]


def test_an_absolute_path_is_kept(manifest):
    assert manifest(entry(SHA, where='file = "/w/x.onnx"')).attributes["light"].file == "/w/x.onnx"


def test_a_url_is_kept_under_its_files_name(manifest):
    light = manifest(entry(SHA, where='url = "https://example.org/nets/light.onnx?v=1"')).attributes["light"]
    assert (light.url, light.file) == ("https://example.org/nets/light.onnx?v=1", "light.onnx")


def test_an_entry_without_weights_changes_the_packages_network(manifest, tmp_path):
    loaded = manifest('[network.dlib-age]\ncrop = { kind = "chip", size = 64, padding = 0.3 }')
    age, before = loaded.attributes["age"], PACKAGE.attributes["age"]
    assert age.crop.padding == 0.3
    assert before.calibration is not None, "fitted to another crop, it is dropped"
    assert age == replace(before, crop=age.crop, manifest=str(tmp_path / "mine.toml"), calibration=None)
    assert age.model_id != before.model_id
    assert loaded.networks[:4] == PACKAGE.networks[:4]


def test_what_changes_no_numbers_keeps_the_calibration(manifest):
    age = manifest('[network.dlib-age]\nlicence = "other"').attributes["age"]
    assert (age.licence, age.calibration) == ("other", PACKAGE.attributes["age"].calibration)


def test_a_detector_takes_the_place_of_the_packages_detector(manifest):
    text = f"""
[network.mine]
role = "detector"
file = "mine.onnx"
sha256 = "{SHA}"
input = {{ size = 80, colour = "rgb", mean = [122, 117, 104], scale = 0.00390625 }}
detector = {{ iou = 0.3, percent_covered = 1.0, pyramid_padding = 10, pyramid_outer_padding = 11 }}
"""
    loaded = manifest(text)
    assert loaded.detector.name == "mine"
    assert loaded.detector.options.iou == 0.3
    assert sum(one.role is ModelRole.DETECTOR for one in loaded.networks) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[network", "mine.toml cannot be read: it is no TOML: "),
        ("", "mine.toml: network is missing"),
        ("networks = 1", "mine.toml: network is missing"),
        (entry(SHA) + "[other]", "mine.toml: unknown field 'other'"),
        (entry(SHA, where=""), "mine.toml: network 'brightness': file or url is missing; only the package's own"),
        (entry(SHA, where='file = "a.onnx"\nurl = "https://a/b"'), "file is 'a.onnx', expected file or url, not both"),
        (entry(SHA, where='url = "ftp://a/b.onnx"'), "url is 'ftp://a/b.onnx', expected http:// or https://"),
        (entry(SHA, where='url = "http://[/b.onnx"'), "url is 'http://[/b.onnx', expected"),
        (entry(SHA, where='url = "https://a/b c.onnx"'), "url is 'https://a/b c.onnx', expected"),
        (entry(SHA, where='file = "a\\u0000b"'), r"file is 'a\x00b', expected a path"),
        (entry(SHA, where='file = "~nobody-of-that-name/x.onnx"'), "there is no such home folder"),
        (entry(SHA, size=4096), "input: size is 4096, expected an integer from 1 to 2048"),
        (
            entry(SHA, axis="first = 0, width = 1, last_open = true, count = 20000"),
            "count is 20000, expected an integer",
        ),
        (entry(SHA, where='url = "https://a"'), "url is 'https://a', expected"),
        (entry("12"), "network 'brightness': sha256 is '12', expected 64 hexadecimal digits"),
        (entry(SHA).replace(f'sha256 = "{SHA}"', ""), "network 'brightness': sha256 is missing"),
        (entry(SHA, more="source = 1"), "network 'brightness': unknown field 'source'"),
        (entry(SHA, axis='labels = ["one"]'), "axis: labels is ['one'], expected a list of two or more"),
        (entry(SHA, attribute="age_group"), "attribute is 'age_group', expected"),
        (entry(SHA, attribute="age"), "the axis of an age network must have single years"),
        (entry(SHA) + entry(SHA, name="two", where='file = "b.onnx"'), "two networks have the attribute 'light'"),
        (entry(SHA) + entry(SHA, name="two", attribute="dim"), "two networks have the file '"),
        ("[network.dlib-age]\nsize = 3", "mine.toml: network 'dlib-age': unknown field 'size'"),
    ],
)
def test_what_is_wrong_is_named_with_file_entry_and_field(manifest, text, message):
    with pytest.raises(WeightsError, match=re.escape(message)):
        manifest(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"gone\.toml cannot be read: No such file"):
        load_manifest(models_file=tmp_path / "gone.toml")
