"""The page in a real browser: what its script does, what it asks the network for, and whether all can read it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install -e '.[dev]'")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe here: pip install -e '.[dev]'")

SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium: the system's, or the one that playwright installed."""
    own = next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)
    with playwright.sync_playwright() as driver:
        try:
            started = driver.chromium.launch(executable_path=own, args=["--no-sandbox"])
        except playwright.Error as fault:
            pytest.skip(f"no Chromium here (apt-get install chromium, or playwright install chromium): {fault}")
        yield started
        started.close()


@pytest.fixture
def page(browser, full_report) -> Iterator[Any]:
    """The report, opened from disk; faults and requests of the page are collected on `page.faults`."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.faults = []
    opened.on("console", lambda message: opened.faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda fault: opened.faults.append(str(fault)))
    opened.on("request", lambda request: opened.faults.append(request.url) if _leaves(request.url) else None)
    opened.goto(full_report.page.as_uri())
    yield opened
    opened.close()


def _leaves(address: str) -> bool:
    """Whether a request asks for anything but the page itself and what it embeds."""
    return not address.startswith(("file://", "data:"))


def texts(page: Any, table: str, column: int) -> list[str]:
    cells = page.locator(f"#{table} tbody tr:not([hidden]) td:nth-child({column + 1})")
    return [cell.get_attribute("data-sort") for cell in cells.all()]


def test_the_page_is_silent_and_asks_for_nothing(page) -> None:
    page.mouse.wheel(0, 20_000)
    page.wait_for_timeout(200)
    assert page.faults == []
    assert page.title().endswith("Borderlab")


def test_an_external_request_would_be_seen_and_is_stopped(page) -> None:
    page.evaluate("() => { const image = new Image(); image.src = 'https://example.org/x.png'; }")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in fault or "example.org" in fault for fault in page.faults)


def test_tables_sort_both_ways(page) -> None:
    sorter = page.locator("#table-padding thead th:nth-child(3) button")
    sorter.click()
    rising = [float(text) for text in texts(page, "table-padding", 2)]
    sorter.click()
    falling = [float(text) for text in texts(page, "table-padding", 2)]
    assert rising == sorted(rising)
    assert falling == sorted(rising, reverse=True)
    assert len(set(rising)) > 1
    assert page.locator("#table-padding thead th:nth-child(3)").get_attribute("aria-sort") == "descending"


def test_texts_among_numbers_sort_behind_them(page) -> None:
    values = ["5", "present", "1", "absent", "2", "3"]
    compared = "(values) => values.sort((one, other) => compareCells(one, other, true))"
    assert page.evaluate(compared, values) == ["1", "2", "3", "5", "absent", "present"]


def test_a_copy_button_gets_its_name_back(page) -> None:
    button = page.locator("button.copy:visible").first
    name = button.inner_text()
    button.click()
    assert button.inner_text() != name
    button.click()
    page.wait_for_timeout(2000)
    assert button.inner_text() == name


def test_filters_filter(page) -> None:
    before = len(texts(page, "table-runs", 0))
    page.locator("input[data-filter='table-runs']").fill("digits partial")
    shown = texts(page, "table-runs", 0)
    assert 0 < len(shown) < before
    assert all("digits" in text and "partial" in text for text in shown)
    assert page.locator("[data-count='table-runs']").inner_text() == f"{len(shown)} of {before} rows"
    page.locator("input[data-filter='table-runs']").fill("")
    assert len(texts(page, "table-runs", 0)) == before


def test_the_slider_moves_the_pictures_by_keyboard(page) -> None:
    viewer = page.locator("figure.viewer").first
    slider, picture = viewer.locator("input[type=range]"), viewer.locator("img[data-role=moved_label]")
    before, shown = picture.get_attribute("src"), viewer.locator("output").inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert viewer.locator("output").inner_text() != shown
    assert picture.get_attribute("src") != before
    page.keyboard.press("ArrowLeft")
    assert picture.get_attribute("src") == before


def test_the_border_slider_pales_what_lies_beyond_its_reach(page) -> None:
    figure = page.locator("figure.bordered").first
    slider, picture = figure.locator("input[type=range]"), figure.locator("img[data-role=error]").first
    before, everywhere = picture.get_attribute("src"), figure.locator("[data-shares]").first.inner_text()
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("([one, before]) => one.src !== before", arg=[picture.element_handle(), before])
    assert figure.locator("output").inner_text() == "1 px"
    assert figure.locator("[data-shares]").first.inner_text() != everywhere
    # Of the picture drawn, the outermost pixels alone are opaque.
    alphas = picture.evaluate(
        """async (image) => {
          await image.decode();
          const canvas = Object.assign(document.createElement("canvas"), { width: image.naturalWidth, height: 5 });
          const context = canvas.getContext("2d");
          context.drawImage(image, 0, 0);
          return [[0, 0], [9, 0], [0, 4], [1, 1], [9, 4]].map(([x, y]) => context.getImageData(x, y, 1, 1).data[3]);
        }"""
    )
    assert alphas == [255, 255, 255, 40, 40]
    page.keyboard.press("End")
    page.wait_for_function("([one, before]) => one.src === before", arg=[picture.element_handle(), before])
    assert figure.locator("[data-shares]").first.inner_text() == everywhere
    assert page.faults == []


def test_the_data_of_a_figure_can_be_saved_from_disk(page, full_report) -> None:
    link = page.locator("#figure-padding-digits a.download")
    with page.expect_download() as caught:
        link.click()
    assert caught.value.suggested_filename == "padding-digits.csv"
    assert Path(caught.value.path()).read_bytes() == (full_report.figures / "padding-digits.csv").read_bytes()
    assert page.faults == []


def test_the_contents_lead_to_sections_by_keyboard(page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    for link in page.locator("nav.contents a").all():
        assert page.locator(link.get_attribute("href")).count() == 1


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_axe_finds_nothing(page, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    found = axe.Axe().run(page)
    assert len(found.response["passes"]) > 20
    assert found.violations_count == 0, found.generate_report()


def test_a_phone_never_scrolls_sideways(page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_scripts_every_table_is_there(browser, full_report) -> None:
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(full_report.page.as_uri())
    assert plain.locator("table:visible").count() == plain.locator("table").count() > 3
    # The controls do nothing and are hidden; the caption says what the pictures are.
    viewer = plain.locator("figure.viewer").first
    assert not viewer.locator("output").is_visible()
    assert "+1 frames from the key frame" in viewer.locator("figcaption").inner_text()
    distances = json.loads(viewer.locator("input[type=range]").get_attribute("data-distances"))
    assert distances[int(viewer.locator("input[type=range]").input_value())] == 1
    context.close()
