import numpy as np
import pytest

from faced_models.bundle import load_models
from faced_models.calibration import FittedOn, Temperature
from faced_models.classifier import Classifier
from faced_models.crop import CropKind, CropRecipe
from faced_models.errors import ModelError
from faced_models.input_format import InputFormat
from faced_models.network_entry import Colour
from faced_models.oversample import Oversample
from faced_models.scale import ScanPlan
from faced_proto.types import Categories, ModelInfo, ModelRole


@pytest.fixture(scope="module")
def models():
    return load_models(cpu_threads=2)


def crops_of(models, image, attribute):
    boxes = [face.box for face in models.detector.detect([image], ScanPlan(0, 1.0, 0, 1.0, 80.0), [0.0])[0]]
    return models.aligner.crops(
        image, boxes, models.aligner.landmarks(image, boxes), models.classifiers[attribute].recipe
    )


def describe(models, image, attribute):
    (distribution,) = models.classifiers[attribute].classify(crops_of(models, image, attribute))
    return distribution


def test_the_smiling_astronaut_is_happy(models, astronaut):
    emotion = describe(models, astronaut, "emotion")
    assert emotion.top[0] == "happy"
    assert emotion.top[1] > 0.9


def test_the_astronaut_is_female_and_between_twenty_five_and_fifty(models, astronaut):
    assert describe(models, astronaut, "gender").as_dict()["female"] > 0.8
    assert 25 < describe(models, astronaut, "age").expectation() < 50


@pytest.mark.parametrize("attribute", ["emotion", "gender", "age"])
def test_probabilities_sum_to_one_and_are_calibrated(models, astronaut, attribute):
    distribution = describe(models, astronaut, attribute)
    assert sum(distribution.probabilities) == pytest.approx(1.0, abs=1e-6)
    assert min(distribution.probabilities) >= 0
    assert distribution.calibrated
    assert distribution.model == models.classifiers[attribute].info.model


@pytest.mark.parametrize("attribute", ["emotion", "gender", "age"])
def test_a_face_gets_in_a_batch_what_it_gets_alone(models, astronaut, attribute):
    crop = crops_of(models, astronaut, attribute)
    noise = np.random.default_rng(1).integers(0, 256, (5, *crop.shape[1:]), np.uint8)
    batch = models.classifiers[attribute].classify(np.concatenate((noise, crop)))
    assert len(batch) == 6
    (alone,) = models.classifiers[attribute].classify(crop)
    np.testing.assert_allclose(batch[5].probabilities, alone.probabilities, atol=1e-6)


def test_no_faces_give_no_distributions(models):
    assert models.classifiers["emotion"].classify(np.empty((0, 64, 64, 3), np.uint8)) == []


def test_crops_of_a_wrong_size_fail_with_the_networks_name(models):
    with pytest.raises(ModelError, match="gender"):
        models.classifiers["gender"].classify(np.zeros((1, 16, 16, 3), np.uint8))


def test_only_the_networks_asked_for_are_loaded():
    models = load_models(attributes=["age_group"], cpu_threads=1)
    assert models.attributes == ("age", "age_group")
    with pytest.raises(ValueError, match="no network for attribute 'mood'"):
        load_models(attributes=["mood"])


class LeftBrightness:
    """A network of two classes: the mean of the left half, of 0 to 1, and the rest."""

    def run(self, batch):
        left = batch[:, 0, :, :2].mean(axis=(1, 2))
        return np.stack([left, 1 - left], axis=1)


def left_brightness(**options):
    info = ModelInfo("bright@1+0", ModelRole.ATTRIBUTE, "bright", None, bool(options.get("calibration")), "MIT", 4)
    values = InputFormat(Colour.GREY, np.zeros(1, np.float32), np.full(1, 1 / 255, np.float32))
    axis = Categories(("left", "right"))
    return Classifier(LeftBrightness(), CropRecipe(CropKind.CHIP, 4, 0.1), values, axis, info, **options)


def half_white():
    crop = np.zeros((1, 4, 4, 3), np.uint8)
    crop[:, :, :2] = 255
    crop[:, :, 2:] = 51
    return crop


def test_flips_are_averaged_before_calibration():
    assert left_brightness().classify(half_white())[0].probabilities == pytest.approx((1.0, 0.0))
    (flipped,) = left_brightness(oversample=Oversample.FLIP).classify(half_white())
    assert flipped.probabilities == pytest.approx((0.6, 0.4))
    temperature = Temperature(0.5, FittedOn("some", 1, "0" * 64))
    (calibrated,) = left_brightness(oversample=Oversample.FLIP, calibration=temperature).classify(half_white())
    assert calibrated.probabilities == pytest.approx((0.36 / 0.52, 0.16 / 0.52))
    assert calibrated.calibrated
