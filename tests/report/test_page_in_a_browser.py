"""The report in a real browser, opened from disk: what a reader can do with it, and what it must never do."""

import shutil
from collections.abc import Iterator

import pytest
from tests.report.conftest import BuiltReport

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LAPTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    """Headless Chromium of the system."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no {', '.join(BROWSERS)} here (`make system-packages`)")
    with playwright.sync_playwright() as driver:
        # Chromium's sandbox does not start for root; the page is our own.
        opened = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: "playwright.Browser", full_report: BuiltReport) -> Iterator["playwright.Page"]:
    """The open page; what it says on the console and asks the network for is kept on it."""
    opened = browser.new_page(viewport=LAPTOP)
    opened.console_lines, opened.requested = [], []
    opened.on("console", lambda line: opened.console_lines.append(line.text))
    opened.on("pageerror", lambda error: opened.console_lines.append(str(error)))
    opened.on("request", lambda request: opened.requested.append(request.url))
    opened.goto(full_report.page.as_uri())
    yield opened
    opened.close()


def numbers(page: "playwright.Page", table: int, place: int) -> list[float]:
    """Sorting keys of a column of numbers, from top to bottom, without empty cells."""
    keys = page.evaluate(
        "([table, place]) => [...document.querySelectorAll('table')[table].tBodies[0].rows]"
        ".map(row => row.cells[place].dataset.sort)",
        [table, place],
    )
    return [float(key) for key in keys if key]


def unsorted_column(page: "playwright.Page") -> tuple[int, int]:
    """Places of a table and of a sortable column of numbers in it that stands in no order."""
    for table in range(page.locator("table").count()):
        places = page.evaluate(
            "table => [...document.querySelectorAll('table')[table].tHead.rows[0].cells]"
            ".filter(cell => cell.matches('.number') && cell.querySelector('button.sort')).map(cell => cell.cellIndex)",
            table,
        )
        for place in places:
            found = numbers(page, table, place)
            if found not in (sorted(found), sorted(found, reverse=True)):
                return table, place
    raise AssertionError("every column of the page is in order: sorting cannot be seen")


def test_nothing_is_asked_of_a_network_and_nothing_goes_wrong(page: "playwright.Page") -> None:
    for element in page.locator("details > summary").all():
        element.click()
    page.wait_for_load_state("networkidle")
    assert [url for url in page.requested if not url.startswith(("file:", "data:"))] == []
    assert page.console_lines == []


def test_a_table_sorts_by_number_both_ways(page: "playwright.Page") -> None:
    table, place = unsorted_column(page)
    before = numbers(page, table, place)
    button = page.locator("table").nth(table).locator("thead th").nth(place).locator("button.sort")
    button.click()
    assert numbers(page, table, place) == sorted(before)
    button.click()
    assert numbers(page, table, place) == sorted(before, reverse=True)


def test_a_filter_leaves_the_rows_that_have_the_word(page: "playwright.Page") -> None:
    entry = page.locator("input[data-filter]").first
    table = entry.get_attribute("data-filter")
    rows = page.locator(f"#{table} tbody tr")
    word = rows.last.locator("td, th").first.inner_text().split()[0]
    entry.fill(f"{word} no-such-word")
    assert page.locator(f"#{table} tbody tr:visible").count() == 0
    entry.fill(word)
    shown = page.locator(f"#{table} tbody tr:visible").all_inner_texts()
    assert shown
    assert all(word.lower() in text.lower() for text in shown)
    entry.fill("")
    assert page.locator(f"#{table} tbody tr:visible").count() == rows.count()


def test_the_slider_moves_by_keyboard_and_changes_the_picture(page: "playwright.Page") -> None:
    viewer = page.locator(".viewer").first
    slider = viewer.locator('[data-role="distance"]')
    shown, picture = viewer.locator('[data-role="shown"]'), viewer.locator('[data-role="moved_label"]')
    seen = set()
    slider.focus()
    slider.press("Home")
    for _ in range(int(slider.get_attribute("max")) + 1):
        seen.add((shown.inner_text(), picture.get_attribute("src")))
        slider.press("ArrowRight")
    assert len({distance for distance, _ in seen}) == int(slider.get_attribute("max")) + 1
    assert len({source for _, source in seen}) > 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_fault_of_accessibility_is_found(page: "playwright.Page", scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    results = axe.Axe().run(page)
    faults = [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in results.response["violations"]
        for node in fault["nodes"]
    ]
    assert faults == []


def test_a_phone_never_scrolls_sideways(page: "playwright.Page") -> None:
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_without_scripts_every_table_is_there(browser: "playwright.Browser", full_report: BuiltReport) -> None:
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(full_report.page.as_uri())
    assert plain.locator("table").count() > 3
    assert plain.locator("table:visible").count() > 3
    context.close()
