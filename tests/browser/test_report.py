"""The HTML report in a real browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from setup_kit.report.html import write_verification
from tests.browser.chromium import Page, browsing
from tests.unit.report.verification import hostile, verification

T = TypeVar("T")

# Every element that is wider than the window and neither scrolls by itself nor lies in one that does.
TOO_WIDE = """
Array.from(document.body.querySelectorAll('*')).filter(each => !each.closest('.canvas') && !each.closest('thead')
    && each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(each => each.outerHTML.slice(0, 80))
"""
# Texts of the diagram that stick out of their box.
STICKING_OUT = """
Array.from(document.querySelectorAll('svg .box')).flatMap(box => {
  const edge = box.querySelector('rect').getBoundingClientRect();
  const out = text => {
    const at = text.getBoundingClientRect();
    return at.right > edge.right || at.bottom > edge.bottom;
  };
  return Array.from(box.querySelectorAll(':scope > text')).filter(out).map(text => text.textContent);
})
"""
DIAGRAM = """
(() => {
  const svg = document.querySelector('svg'), at = svg.getBoundingClientRect();
  const seen = document.elementFromPoint(at.left + at.width / 2, at.top + 100);
  return { width: at.width, height: at.height, boxes: svg.querySelectorAll('.box').length, inside: svg.contains(seen) };
})()
"""
# WCAG 2.1, success criterion 1.4.3: text against what is behind it has a contrast of 4.5 at least.
TOO_FAINT = r"""
(() => {
  const linear = part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = colour => {
    const [red, green, blue] = colour.match(/[\d.]+/g).slice(0, 3).map(part => linear(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = each => {
    for (let at = each; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\)$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const contrast = each => {
    const both = [light(getComputedStyle(each).color), light(behind(each))];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  };
  const texts = '.badge, .check, .severity, .key, td, th, dt, dd, h1, h2, h3, p, li, b, code';
  return Array.from(document.querySelectorAll(texts))
    .map(each => [contrast(each), each.className || each.tagName]).filter(([ratio]) => ratio < 4.5);
})()
"""


@pytest.fixture
def browse(tmp_path: Path) -> Callable[[Callable[[Page], Awaitable[T]]], T]:
    def run(visit: Callable[[Page], Awaitable[T]]) -> T:
        async def visiting() -> T:
            async with browsing(tmp_path / "browser") as page:
                return await visit(page)

        return asyncio.run(visiting())

    return run


@pytest.fixture
def report(tmp_path: Path) -> str:
    file = tmp_path / "report.html"
    write_verification(file, verification())
    return file.as_uri()


def test_it_opens_without_a_complaint_or_a_request_and_shows_the_diagram(browse: Any, report: str) -> None:
    async def visit(page: Page) -> None:
        for scheme in ("light", "dark"):
            await page.open(report, scheme=scheme)
            diagram = await page.value(DIAGRAM)
            assert diagram["boxes"] == 8
            assert diagram["inside"]
            assert diagram["width"] > 700
            assert diagram["height"] > 300
            assert await page.value(STICKING_OUT) == []
            assert await page.value(TOO_FAINT) == []
        assert set(page.requests) == {report}
        assert page.complaints == []

    browse(visit)


def test_no_width_makes_the_page_overflow(browse: Any, report: str) -> None:
    async def visit(page: Page) -> None:
        await page.open(report)
        for width in (1200, 960, 768, 480, 320):
            await page.resize(width)
            assert await page.value("document.documentElement.scrollWidth") <= width
            assert await page.value(TOO_WIDE) == [], width

    browse(visit)


def test_it_prints(browse: Any, report: str) -> None:
    async def visit(page: Page) -> None:
        await page.open(report, scheme="dark")
        pdf = await page.pdf()
        assert pdf.startswith(b"%PDF-")
        # Paper is white, whatever the screen is.
        await page.call("Emulation.setEmulatedMedia", media="print")
        assert await page.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert await page.value("getComputedStyle(document.querySelector('.canvas')).overflowX") == "visible"

    browse(visit)


def test_hostile_names_do_nothing_in_it(browse: Any, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    write_verification(file, hostile())

    async def visit(page: Page) -> None:
        await page.open(file.as_uri())
        assert page.requests == [file.as_uri()]
        assert page.complaints == []
        assert await page.value("document.images.length + document.scripts.length") == 0
        assert await page.value(STICKING_OUT) == []
        await page.resize(400)
        assert await page.value("document.documentElement.scrollWidth") <= 400
        shown = json.dumps(await page.value("document.querySelector('h1').textContent"))
        assert "<script>" in shown

    browse(visit)
