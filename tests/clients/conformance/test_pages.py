"""What the clients' pages show."""

from pathlib import Path

JAVA = Path("clients/java")


def test_the_java_page_shows_the_program_that_it_runs() -> None:
    """The quick start is the example, which the page's command compiles and runs."""
    page = (JAVA / "README.md").read_text(encoding="utf-8")
    shown = page.partition("```java\n")[2].partition("```")[0]
    example = JAVA / "example/src/main/java/Quickstart.java"

    assert example.read_text(encoding="utf-8") == shown
    assert "-Dexec.mainClass=Quickstart" in page
