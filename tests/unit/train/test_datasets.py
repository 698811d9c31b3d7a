import io
import re
import tarfile

import pytest

from faced_proto.types import Box
from faced_train.datasets.opening import open_faces
from faced_train.datasets.wider_face import find_wider_face, read_wider_face
from faced_train.errors import DataError
from faced_train.faces import Broken
from tests.unit.train.conftest import jpeg

NAMES = ["1_0_0_20161219140623097.jpg.chip.jpg", "26_1_2_20170116174525125.jpg", "116_1_4_20170111 .jpg.chip.jpg"]


def write_files(folder, names):
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(i) if path.suffix == ".jpg" else b"text")
    return folder


def write_tar(path, files):
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_utkface_names_tell_age_gender_and_race(tmp_path, packed):
    if packed:
        path = write_tar(tmp_path / "utk.tar", {name: jpeg(i) for i, name in enumerate(NAMES)})
    else:
        path = write_files(tmp_path / "utk", NAMES)
    faces = open_faces(path, "age")
    assert [(truth.age, truth.gender, truth.race) for truth in faces.truths] == [
        (116, "female", "Others"),
        (1, "male", "White"),
        (26, "female", "Asian"),
    ]
    assert [picture.shape for picture in faces.pictures()] == [(64, 64, 3)] * 3


def test_names_that_the_set_as_published_lacks_parts_of(tmp_path):
    write_files(tmp_path, ["39_1_20170116174525125.jpg", "53__0_20170116184028385.jpg"])
    faces = open_faces(tmp_path, "age")
    assert [(truth.age, truth.gender, truth.race) for truth in faces.truths] == [
        (39, "female", None),
        (53, None, "White"),
    ]


def test_foreign_files_are_named_and_left_out(tmp_path):
    faces = open_faces(write_files(tmp_path, [*NAMES, "notes.txt", "a/Thumbs.db"]), "age")
    assert len(faces) == 3
    assert faces.left_out == ("no pictures: a/Thumbs.db, notes.txt",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("portrait.jpg", "portrait.jpg: expected a name of age_gender_race_date"),
        ("39_2_0_20170116.jpg", "39_2_0_20170116.jpg: gender is 2, expected 0 to 1"),
        ("390_1_0_20170116.jpg", "390_1_0_20170116.jpg: age is 390, expected 0 to 120"),
        ("39_1_5_20170116.jpg", "39_1_5_20170116.jpg: race is 5, expected 0 to 4"),
    ],
)
def test_a_wrong_utkface_name_is_named_or_skipped(tmp_path, name, message):
    folder = write_files(tmp_path, [*NAMES, name])
    with pytest.raises(DataError, match=re.escape(message)):
        open_faces(folder, "gender")
    faces = open_faces(folder, "gender", skip_bad=True)
    assert len(faces) == 3
    assert message in faces.left_out[0]


def test_a_broken_picture_in_a_tar_is_named(tmp_path):
    path = write_tar(tmp_path / "utk.tar", {NAMES[0]: jpeg(), NAMES[1]: jpeg()[:300]})
    good, broken = open_faces(path, "age").pictures()
    assert good.shape == (64, 64, 3)
    assert isinstance(broken, Broken)
    assert broken.message.startswith(f"{path}: {NAMES[1]}: ")


def test_a_tar_that_ends_early_is_refused(tmp_path):
    path = write_tar(tmp_path / "utk.tar", {name: jpeg() for name in NAMES})
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match=r"utk\.tar: .*(end of data|cannot be read)"):
        list(open_faces(path, "age").pictures())


def test_a_path_to_nothing_and_a_folder_of_nothing_are_refused(tmp_path):
    with pytest.raises(DataError, match="there is no such file or folder"):
        open_faces(tmp_path / "none", "emotion")
    with pytest.raises(DataError, match="holds no pictures"):
        open_faces(tmp_path, "age")
    (tmp_path / "text").write_text("text")
    with pytest.raises(DataError, match="is neither a folder nor a tar"):
        open_faces(tmp_path / "text", "age")


def test_a_folder_for_each_class(tmp_path):
    folder = write_files(tmp_path, ["train/angry/1.jpg", "test/Happiness/1.jpg", "test/sad/2.jpg", "readme.md"])
    faces = open_faces(folder, "emotion")
    assert [(truth.part, truth.emotion) for truth in faces.truths] == [
        ("Test", "happy"),
        ("Test", "sad"),
        ("Training", "angry"),
    ]
    write_files(tmp_path, ["test/bored/3.jpg"])
    with pytest.raises(DataError, match=re.escape("test/bored/3.jpg: its folder is no emotion; there are angry")):
        open_faces(folder, "emotion")


ADIENCE = "user_id\toriginal_image\tface_id\tage\tgender\tx\ty\n"


def test_adience_folds(tmp_path):
    write_files(
        tmp_path, ["aligned/7@N03/landmark_aligned_face.1.a.jpg", "aligned/7@N03/landmark_aligned_face.2.b.jpg"]
    )
    (tmp_path / "fold_0_data.txt").write_text(
        ADIENCE + "7@N03\ta.jpg\t1\t(25, 32)\tf\t0\t0\n7@N03\tb.jpg\t2\t35\tu\t0\t0\n"
    )
    faces = open_faces(tmp_path, "age")
    assert [(truth.age_group, truth.gender) for truth in faces.truths] == [(4, "female"), (None, None)]
    assert len(list(faces.pictures())) == 2
    (tmp_path / "fold_1_data.txt").write_text(ADIENCE.replace("gender", "sex") + "7@N03\ta.jpg\t1\t(0, 2)\tf\n")
    with pytest.raises(DataError, match=r"fold_1_data\.txt: line 1: no column 'gender'"):
        open_faces(tmp_path, "age")


WIDER = (
    "0--Parade/a.jpg\n2\n10 20 30 40 0 0 0 0 0 0\n50 60 70 80 0 0 0 1 0 0\n0--Parade/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0\n"
)


def test_wider_face_lists(tmp_path):
    (tmp_path / "WIDER_val" / "images").mkdir(parents=True)
    split = tmp_path / "wider_face_split"
    split.mkdir()
    path = split / "wider_face_val_bbx_gt.txt"
    path.write_text(WIDER)
    assert find_wider_face(tmp_path) == path
    first, second = read_wider_face(path)
    assert first.path == tmp_path / "WIDER_val/images/0--Parade/a.jpg"
    assert [(label.box, label.ignored) for label in first.labels] == [
        (Box(10, 20, 40, 60), False),
        (Box(50, 60, 120, 140), True),
    ]
    assert second.labels == ()
    path.write_text(WIDER.replace("50 60 70", "50 sixty 70"))
    with pytest.raises(DataError, match="line 4: '50 sixty 70 80"):
        read_wider_face(path)
    path.write_text(WIDER.replace("\n2\n", "\ntwo\n"))
    with pytest.raises(DataError, match="line 2: 'two' is no number of faces"):
        read_wider_face(path)


@pytest.mark.parametrize(
    ("subject", "folder", "field", "value"),
    [
        ("gender", "Women", "gender", "female"),
        ("gender", "m", "gender", "male"),
        ("age", "25", "age", 25),
        ("age", "25-32", "age_group", 4),
        ("age", "60+", "age_group", 7),
    ],
)
def test_folders_tell_gender_and_age(tmp_path, subject, folder, field, value):
    (tmp_path / "train" / folder).mkdir(parents=True)
    (tmp_path / "train" / folder / "a.jpg").write_bytes(jpeg())
    (truth,) = open_faces(tmp_path, subject).truths
    assert (getattr(truth, field), truth.part) == (value, "Training")


def test_a_folder_that_is_no_class_is_named(tmp_path):
    for folder in ("25", "old"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(jpeg())
    with pytest.raises(DataError, match=r"old/a\.jpg: its folder is neither an age in years nor one of 0-2, 4-6"):
        open_faces(tmp_path, "age")
