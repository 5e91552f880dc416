"""The table of a comparison."""

from rich.console import Console

from examples.reuse.rows import Row, table_of


def test_a_line_for_each_method_and_a_column_for_each_number_of_images() -> None:
    rows = [
        Row(task, method, 0.01, images, 50, (0.5, 0.7 if images == 10 else 0.9))
        for task in ("one", "other")
        for images in (10, 1000)
        for method in ("raw", "reused")
    ]
    console = Console(width=100, record=True)
    console.print(table_of(rows))
    lines = [line.split() for line in console.export_text().splitlines() if line.strip("─ ")]
    assert lines[0] == ["task", "method", "rate", "10", "images", "1,000", "images"]
    cells = ["0.01", "60.0%", "(50.0%-70.0%)", "70.0%", "(50.0%-90.0%)"]
    assert lines[1:] == [
        ["one", "raw", *cells],
        ["reused", *cells],
        ["other", "raw", *cells],
        ["reused", *cells],
    ]
