from faced_train.faces import FaceSet, Truth
from faced_train.split import Split, part_of


def faces(keys):
    return FaceSet("numbers", "test", tuple(Truth(key, key) for key in keys), tuple(range(len(keys))), None)


def test_two_thirds_are_to_fit_on_whatever_the_order():
    keys = [f"face {i}" for i in range(900)]
    fit, check = (part_of(faces(keys), split) for split in (Split.FIT, Split.CHECK))
    assert 560 < len(fit) < 640
    assert len(fit) + len(check) == 900
    turned = part_of(faces(keys[::-1]), Split.CHECK)
    assert {truth.key for truth in turned.truths} == {truth.key for truth in check.truths}
    assert turned.digest == check.digest
    assert part_of(faces(keys), Split.ALL).left_out == ()
