"""What a training begins with against dlib's own network, on the same file."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
dlib = pytest.importorskip("dlib")
pytestmark = pytest.mark.slow

from faced_models.convert.dlib_resnet import read_face_resnet  # noqa: E402
from faced_train.training.face_resnet import FaceResNet  # noqa: E402
from tests.dlib_file import embedding_matrix, face_resnet_file  # noqa: E402


@pytest.mark.parametrize("seed", [0, 1])
def test_the_features_are_what_dlib_makes_its_embedding_of(seed, tmp_path):
    data = face_resnet_file(seed)
    path = tmp_path / "resnet.dat"
    path.write_bytes(data)
    noise = np.random.default_rng(seed).integers(0, 256, (150, 150, 3), np.uint8)
    picture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    theirs = np.array(dlib.face_recognition_model_v1(str(path)).compute_face_descriptor(picture))
    network = FaceResNet(3, 6, 0.0).eval()
    # Other values than dlib's: taking over allows for them.
    mean, scale = (127.5, 120.0, 90.0), 1 / 127.5
    network.take_over(read_face_resnet(data, "resnet.dat"), mean, scale)
    faces = torch.tensor((picture - np.array(mean)) * scale, dtype=torch.float32).permute(2, 0, 1)[None]
    with torch.no_grad():
        ours = network.features(faces).numpy()[0] @ embedding_matrix(data)
    assert np.abs(theirs).max() > 0.1
    assert ours == pytest.approx(theirs, abs=1e-5 * np.abs(theirs).max())
