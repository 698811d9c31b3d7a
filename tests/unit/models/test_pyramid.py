import numpy as np

from faced_models.pyramid import Tile, level_sizes, sample_columns, sample_rows, tile, to_picture, upsampled_size


def test_levels_shrink_by_five_sixths_until_they_are_five_rows_high():
    sizes = level_sizes(640, 480)
    assert sizes[:3] == ((640, 480), (533, 400), (444, 333))
    assert sizes[-1][1] >= 5
    assert int(sizes[-1][1] * 5 / 6) < 5


def test_the_tiled_picture_of_640x480_is_dlibs():
    layout = tile(640, 480, 10, 11)
    assert (layout.width, layout.height) == (662, 1782)
    assert layout.tiles[0] == Tile(11, 11, 640, 480)
    assert layout.tiles[1] == Tile(11, 501, 533, 400)


def test_tiles_never_overlap_and_stay_inside():
    for size in ((640, 480), (1280, 720), (100, 700), (61, 97), (333, 41)):
        layout = tile(*size, 10, 11)
        covered = set()
        for t in layout.tiles:
            assert t.left >= 0
            assert t.top >= 0
            assert t.left + t.width <= layout.width
            assert t.top + t.height <= layout.height
            cells = {(x, y) for x in range(t.left, t.left + t.width) for y in range(t.top, t.top + t.height, 3)}
            assert not covered & cells
            covered |= cells


def test_the_nearest_tile_decides_the_level_of_a_point():
    layout = tile(640, 480, 10, 11)
    x, y = np.array([100.0, 100.0, 100.0]), np.array([100.0, 492.0, 600.0])
    assert layout.levels_at(x, y).tolist() == [0, 0, 1]


def test_a_point_goes_up_by_a_fifth_and_three_tenths_of_a_pixel_a_level():
    assert to_picture(21.0, 31.0, Tile(11, 11, 10, 10), 1) == (12.3, 24.3)


def test_sampling_spans_from_the_first_to_the_last_pixel():
    for sampling in (sample_rows(480, 400), sample_columns(640, 533)):
        assert sampling.first[0] == 0
        assert sampling.fraction[0] == 0
        assert (sampling.fraction >= 0).all()
        assert (sampling.fraction < 1).all()
    rows = sample_rows(480, 400)
    assert abs(rows.first[-1] + rows.fraction[-1] - 479) < 1e-6


def test_columns_beyond_the_last_whole_group_are_sampled_in_double():
    columns = sample_columns(640, 1282)
    assert len(columns.first) == 1282
    assert columns.exact_from % 4 == 0
    assert 1276 <= columns.exact_from < 1282


def test_a_doubling_adds_two_columns_and_a_row():
    assert upsampled_size(640, 480, 1) == (1282, 961)
    assert upsampled_size(640, 480, 2) == (2566, 1923)
