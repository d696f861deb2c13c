"""The matrix is whole: every row can be made, and every class has its quick one."""

from collections import Counter

from tests.faults.row import CLASSES, matrix


def test_each_row_names_an_injection_that_there_is() -> None:
    """Made with the row's arguments; a typing error is found here, and not in a long night."""
    for row in matrix():
        assert type(row.fault()).__name__ == row.injection.partition(".")[2]
        assert row.kind in CLASSES
        assert row.evidence


def test_no_two_rows_have_the_same_name() -> None:
    """The report tells them apart."""
    assert max(Counter(row.name for row in matrix()).values()) == 1


def test_each_class_is_part_of_the_quick_suite() -> None:
    """One fault of each, but for the cluster, which takes too long for it."""
    quick = Counter(row.kind for row in matrix() if row.suite == "test")
    assert quick == dict.fromkeys([one for one in CLASSES if one != "cluster"], 1)
