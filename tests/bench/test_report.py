from bench.parts.report import bar, table, took


def test_a_table_has_a_line_for_each_row() -> None:
    """Head, ruler, rows."""
    expected = "| a | b |\n| --- | --- |\n| 1 | 2 |"

    assert expected == table(("a", "b"), [["1", "2"]])


def test_times_have_units() -> None:
    """A time has the unit in which it is readable."""
    times = [took(each) for each in (0.0000421, 0.00123, 0.5, 2.5)]

    assert ["42 µs", "1.23 ms", "500 ms", "2.5 s"] == times


def test_a_bar_tells_whether_it_was_met() -> None:
    """A bar from below is met from there on, one from above up to there."""
    lines = [
        bar("x", 60, 60, "%"),
        bar("x", 59, 60, "%"),
        bar("x", 2, 2, "ms", most=True),
        bar("x", 2.1, 2, "ms", most=True),
    ]

    assert ["met", "**missed**", "met", "**missed**"] == [
        line.rpartition(": ")[2] for line in lines
    ]
