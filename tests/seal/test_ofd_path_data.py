"""The letters of AbbreviatedData, arcs above all, and their operators in PDF."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal.ofd_path_data import MAX_WORDS, read_path
from seal.pdf_paths import operators
from seal.seal_outline import Point, Segment

lengths = st.floats(0.5, 50)
flags = st.sampled_from([0, 1])


def along(segments: tuple[Segment, ...]) -> list[Point]:
    """Return points on the curves of a path, eight on each."""
    points: list[Point] = []
    here = (0.0, 0.0)
    for segment in segments:
        if segment.letter == "B":
            for step in range(9):
                t = step / 8
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                all_four = (here, *segment.points)
                x = sum(w * p[0] for w, p in zip(weights, all_four, strict=True))
                y = sum(w * p[1] for w, p in zip(weights, all_four, strict=True))
                points.append((x, y))
        here = segment.points[-1] if segment.points else here
    return points


def test_every_letter_becomes_a_step() -> None:
    path = read_path("S 0 0 L 1 2 Q 3 4 5 6 B 1 2 3 4 5 6 C M 9 9")
    assert "".join(segment.letter for segment in path) == "MLQBCM"
    assert [len(segment.points) for segment in path] == [1, 1, 2, 3, 0, 1]


def test_operators_of_pdf_have_no_curve_with_one_control_point() -> None:
    written = list(operators(read_path("M 0 0 Q 3 3 6 0 C")))
    assert written == [
        "0.00000 0.00000 m",
        "2.00000 2.00000 4.00000 2.00000 6.00000 0.00000 c",
        " h",
    ]


@given(lengths, flags, flags, st.floats(0, 360), st.floats(0, math.tau))
@settings(max_examples=60)
def test_an_arc_of_a_circle_keeps_its_distance_and_arrives(
    radius: float, large: int, sweep: int, turn: float, away: float
) -> None:
    end = radius * math.cos(away), radius * math.sin(away)
    path = read_path(f"M 0 0 A {radius} {radius} {turn} {large} {sweep} {end[0]:f} {end[1]:f}")
    assert path[-1].points[-1] == pytest.approx(end, abs=1e-5)
    points = along(path)
    # The middle is as far from both ends as the radius; which of the two, the flags say.
    half = end[0] / 2, end[1] / 2
    rise = math.sqrt(radius**2 - (half[0] ** 2 + half[1] ** 2))
    side = 1 if large == sweep else -1
    middle = (
        half[0] + side * rise * half[1] / math.hypot(*half),
        half[1] - side * rise * half[0] / math.hypot(*half),
    )
    assert all(math.dist(point, middle) == pytest.approx(radius, rel=1e-3) for point in points)
    length = sum(map(math.dist, points, points[1:]))
    assert (length > math.pi * radius) == bool(large)


def test_an_arc_that_cannot_reach_is_made_larger_and_one_without_radius_straight() -> None:
    assert read_path("M 0 0 A 1 1 0 0 1 10 0")[-1].points[-1] == (10, 0)
    assert max(y for _, y in along(read_path("M 0 0 A 1 1 0 0 0 10 0"))) == pytest.approx(5, 1e-3)
    assert read_path("M 0 0 A 0 5 0 0 1 10 0")[-1] == Segment("L", ((10.0, 0.0),))
    assert read_path("M 1 1 A 5 5 0 0 1 1 1")[-1] == Segment("L", ((1.0, 1.0),))


@given(st.text(alphabet="SMLQBAC0123456789.-e naif", max_size=60))
@settings(max_examples=100)
def test_a_strangers_path_is_read_or_refused(data: str) -> None:
    try:
        list(operators(read_path(data)))
    except ValueError:
        return


def test_an_endless_path_is_refused() -> None:
    with pytest.raises(ValueError, match="path"):
        read_path("M 0 0 " + "L 1 1 " * (MAX_WORDS // 3))
