"""A drawing becomes an image as MNIST's were made: each step, and all of them on real digits."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import digits, drawing
from data.catalogue import CATALOGUE
from data.errors import DataError
from data.forms.idx import read_range
from data.forms.idx_names import FILE_NAMES, existing
from data.task import Drawing, Task

MASS, BOX = Drawing(), Drawing(size=24, centre="box")
SHAPE = (28, 28)


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Digits uint8[50, 28, 28], light on black."""
    folder = tmp_path_factory.mktemp("digits") / "digits"
    digits.make_digits(folder)
    return read_range(folder / FILE_NAMES[2], 0, 50)


def drawn(image: np.ndarray, side: int = 300, top: int = 30, left: int = 90) -> np.ndarray:
    """Returns an image as a large drawing in black on white, anywhere on the sheet."""
    large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    sheet = np.full((side + 120, side + 150), 255, np.uint8)
    sheet[top : top + side, left : left + side] = 255 - np.asarray(large)
    return sheet


def rectangle(height: int, width: int, sheet: tuple[int, int] = (100, 100)) -> np.ndarray:
    """Returns a black rectangle on white."""
    grey = np.full(sheet, 255, np.uint8)
    grey[20 : 20 + height, 10 : 10 + width] = 0
    return grey


def box(image: np.ndarray) -> tuple[int, int, int, int]:
    """Returns the first and last row, and the first and last column, that are not black."""
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_an_image_of_the_task_is_left_as_it_is(offline: np.ndarray) -> None:
    for image in offline:
        found = drawing.as_image(image, MASS, SHAPE)
        assert found.tobytes() == image.tobytes()
        assert not np.shares_memory(found, image)


def test_dark_on_light_is_turned_round(offline: np.ndarray) -> None:
    sheet = drawn(offline[3])
    found = drawing.as_image(sheet, MASS, SHAPE)
    assert found.dtype == np.uint8 and found.max() == 255 and found[0].max() == 0
    np.testing.assert_array_equal(drawing.as_image(255 - sheet, MASS, SHAPE), found)
    small = drawing.as_image(255 - offline[3], MASS, SHAPE)  # of the task's size, and turned
    assert small[0].max() == 0


def test_it_does_not_matter_where_and_how_dark_it_is_drawn(offline: np.ndarray) -> None:
    found = drawing.as_image(drawn(offline[5]), MASS, SHAPE)
    moved = drawing.as_image(drawn(offline[5], top=111, left=3), MASS, SHAPE)
    np.testing.assert_array_equal(moved, found)
    faint = (100 + drawn(offline[5]) * 0.4).astype(np.uint8)
    difference = drawing.as_image(faint, MASS, SHAPE).astype(int) - found
    assert abs(difference).max() <= 8


def test_a_figure_is_as_large_as_its_drawing_says() -> None:
    assert box(drawing.as_image(rectangle(40, 10), MASS, SHAPE)) == (4, 23, 12, 16)
    assert box(drawing.as_image(rectangle(40, 10), BOX, SHAPE)) == (2, 25, 11, 16)
    assert box(drawing.as_image(rectangle(10, 40), BOX, SHAPE)) == (11, 16, 2, 25)
    assert box(drawing.as_image(rectangle(3, 3), MASS, SHAPE)) == (4, 23, 4, 23)
    assert box(drawing.as_image(rectangle(40, 10), MASS, (56, 56))) == (8, 47, 23, 32)
    assert box(drawing.as_image(rectangle(70, 1), MASS, SHAPE)) == (4, 23, 14, 14)
    assert box(drawing.as_image(rectangle(40, 40), MASS, (28, 56))) == (4, 23, 18, 37)


def test_the_centre_of_mass_lies_in_the_middle_row_and_column() -> None:
    grey = rectangle(60, 10)
    grey[70:80, 10:70] = 0  # an L, whose mass is at the bottom left
    by_mass, by_box = (
        drawing.as_image(grey, each, SHAPE) for each in (MASS, Drawing(centre="box"))
    )
    places = np.arange(28) + 0.5
    for axis in (0, 1):
        middle = np.average(places, weights=by_mass.sum(axis=axis, dtype=float))
        assert 14 <= middle < 15
    assert box(by_box) == (4, 23, 4, 23)
    assert box(by_mass) != box(by_box)


def test_a_figure_stays_within_the_field() -> None:
    grey = rectangle(60, 2)
    grey[78:80, 10:90] = 0
    grey[70:78, 60:90] = 0
    found = drawing.as_image(grey, Drawing(size=28), SHAPE)
    assert found.shape == SHAPE and box(found)[2:] == (0, 27)


def test_pixels_are_means_of_the_area_that_they_cover() -> None:
    values = np.array([[10, 20], [30, 40], [50, 60]], np.uint8)
    assert drawing._sums(values, 2).tolist() == [[50, 80], [130, 160]]
    assert drawing._sums(values, 3).tolist() == (3 * values.astype(int)).tolist()
    assert drawing._sums(values[:1], 2).tolist() == values[[0, 0]].tolist()


def test_halves_are_rounded_up_and_a_middle_between_two_rows_counts_as_the_lower_one() -> None:
    """Floats have 9.999 or 127.49 here, by what they sum up first."""
    grey = np.zeros((36, 36), np.uint8)
    grey[6:30, 6:30] = 4 * [255, 96, 96, 96, 96, 255]  # five columns of six: (5 * 255 + 96) / 6
    found = drawing.as_image(grey, MASS, SHAPE)
    assert box(found) == (4, 23, 4, 23)
    assert found[4, 4:24].tolist() == 4 * [229, 96, 96, 96, 229]


def test_grey_is_on_white_and_by_bt_601() -> None:
    pixels = [(255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0), (10, 10, 10, 100)]
    found = drawing.grey_of(np.array([pixels], np.uint8))
    assert found.dtype == np.uint8 and found.tolist() == [[76, 150, 29, 255, 159]]
    rows = np.random.default_rng(0).integers(0, 256, (600, 3, 4)).astype(np.uint8)
    assert drawing.grey_of(rows)[599].tolist() == drawing.grey_of(rows[599:])[0].tolist()
    opaque = Image.fromarray(rows[..., :3])
    rows[..., 3] = 255
    np.testing.assert_array_equal(drawing.grey_of(rows), np.asarray(opaque.convert("L")))


@pytest.mark.parametrize(
    "grey",
    [
        np.full((90, 90), 255, np.uint8),
        np.zeros((28, 28), np.uint8),
        np.full((28, 28), 200, np.uint8),
        np.array([[250, 251], [252, 255]], np.uint8),
        np.tile(np.array([240, 250], np.uint8), (50, 25)),
    ],
)
def test_what_shows_no_figure_is_told(grey: np.ndarray) -> None:
    with pytest.raises(DataError, match="shows no figure, expected one that is darker or lighter"):
        drawing.as_image(grey, MASS, SHAPE)


@pytest.mark.parametrize("shape", [(1, 90), (90, 1), (2, 2), (1, 2)])
def test_narrow_images_are_drawings_too(shape: tuple[int, int]) -> None:
    grey = np.zeros(shape, np.uint8)
    grey.flat[-1] = 255
    assert drawing.as_image(grey, MASS, SHAPE).max() == 255


def test_offline_digits_come_back(offline: np.ndarray) -> None:
    """They are centred by their mass to an eighth of a pixel, MNIST's to a whole one."""
    for image in offline:
        found = drawing.as_image(drawn(image), MASS, SHAPE)
        shifts = [np.roll(found, shift, (0, 1)) for shift in ((0, 0), (0, -1), (-1, 0), (-1, -1))]
        difference = min(abs(shifted.astype(int) - image).mean() for shifted in shifts)
        assert difference < 0.35 * image.mean()  # it is 0.25 at most


def test_digits_of_mnist_come_back_where_they_were(mnist_dir: Path) -> None:
    images = read_range(existing(mnist_dir, FILE_NAMES[2]), 0, 200)
    differences = []
    for image in images:
        found = drawing.as_image(drawn(image), MASS, SHAPE)
        assert box(found)[1] - box(found)[0] == 19 or box(found)[3] - box(found)[2] == 19
        differences.append(abs(found.astype(int) - image).mean() / image.mean())
    assert np.median(differences) < 0.25  # it is 0.17, and 0.55 where all lie a pixel off


def test_the_catalogue_says_which_images_are_drawings() -> None:
    found = {name: entry.task.drawing for name, entry in CATALOGUE.items()}
    assert found["mnist"] == found["qmnist"] == digits.TASK.drawing == MASS
    assert found["emnist-letters"] == found["emnist-balanced"] == BOX
    assert not any(found[name] for name in ("fashion-mnist", "kmnist", "cifar-10"))
    task = CATALOGUE["emnist-letters"].task
    assert Task.from_json(task.to_json()) == task
    plain = dataclasses.replace(task, drawing=None)
    assert Task.from_json(plain.to_json()) == plain != task


# For programs that follow the specification: a sheet of 9x11 pixels, and a field of 8x8 with
# figures of 5. The row of 155 is stretched to 63, and so lies outside of the box.
EXAMPLE = [
    [205, 205, 205, 205, 205, 205, 205, 205, 205, 205, 205],
    [205, 205, 155, 155, 155, 155, 155, 155, 155, 205, 205],
    [205, 205, 205, 5, 205, 205, 205, 205, 205, 205, 205],
    [205, 205, 205, 5, 205, 205, 205, 205, 205, 205, 205],
    [205, 205, 205, 5, 205, 205, 155, 205, 205, 205, 205],
    [205, 205, 205, 5, 205, 205, 205, 205, 205, 205, 205],
    [205, 205, 205, 5, 205, 205, 205, 205, 205, 205, 205],
    [205, 205, 205, 55, 55, 55, 55, 55, 205, 205, 205],
    [205, 205, 205, 205, 205, 205, 205, 205, 205, 205, 205],
]
FIGURE = [
    [204, 0, 0, 0],
    [204, 0, 13, 4],
    [204, 0, 19, 6],
    [204, 0, 0, 0],
    [193, 159, 159, 159],
]


@pytest.mark.parametrize(("centre", "left"), [("mass", 3), ("box", 2)])
def test_the_worked_example(centre: str, left: int) -> None:
    found = drawing.as_image(np.array(EXAMPLE, np.uint8), Drawing(5, 8, centre), (8, 8))
    expected = np.zeros((8, 8), np.uint8)
    expected[1:6, left : left + 4] = FIGURE
    assert found.tolist() == expected.tolist()


def test_a_level_more_and_it_is_ink() -> None:
    sheet = np.array(EXAMPLE, np.uint8)
    sheet[1, 2:9] = 154
    found = drawing.as_image(sheet, Drawing(5, 8, "box"), (8, 8))
    assert box(found) == (1, 5, 1, 5)


def test_the_background_is_that_of_the_border() -> None:
    found = drawing.as_image(rectangle(75, 85), MASS, SHAPE)  # most of the sheet is ink
    assert found.max() == 255 and found[0].max() == 0 and box(found)[2:] == (4, 23)
    # Of an even number of levels it is the lower one in the middle.
    halves = drawing.as_image(np.array([[0, 0, 200, 255]], np.uint8), MASS, SHAPE)
    assert sorted(set(halves.ravel().tolist())) == [0, 200, 255]
