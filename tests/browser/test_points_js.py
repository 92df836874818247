"""The map's own arithmetic, run by the engine that will run it."""

from __future__ import annotations

from typing import Any

from motif.dashboard.components import component_assets

SETUP = """
  const random = (() => { let s = 7; return () => (s = (s * 16807) % 2147483647) / 2147483647; })();
  const n = 4000, xy = new Uint16Array(2 * n).map(() => Math.floor(random() * 65536));
  const all = () => true;
"""


def run(chromium: Any, body: str) -> Any:
    page = chromium.new_page()
    try:
        return page.evaluate(
            f"() => {{ {component_assets.text('map_view/points.js')} {SETUP} {body} }}"
        )
    finally:
        page.close()


def test_masks_are_unpacked_lowest_bit_first(chromium: Any) -> None:
    assert run(chromium, "return [...unpackMask(new Uint8Array([5, 128]), 16)]") == [
        1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]  # fmt: skip


def test_the_nearest_point_is_the_nearest(chromium: Any) -> None:
    assert (
        run(
            chromium,
            """
        const grid = buildGrid(xy, n);
        for (let t = 0; t < 400; t++) {
          const [x, y] = [random() * 70000 - 2000, random() * 70000 - 2000];
          const radius = 900 + random() * 4000;
          const odd = (i) => i % 3 !== 0;
          let best = -1, least = radius * radius;
          for (let i = 0; i < n; i++) {
            const d = (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2;
            if (d <= least && odd(i)) { best = i; least = d; }
          }
          const found = nearestPoint(grid, xy, x, y, radius, odd);
          if (found !== best) {
            const d = found < 0 ? -1 : (xy[2 * found] - x) ** 2 + (xy[2 * found + 1] - y) ** 2;
            if (d !== least) return [t, found, best];
          }
        }
        return "agree";
        """,
        )
        == "agree"
    )


def test_a_lasso_holds_what_lies_in_it(chromium: Any) -> None:
    found = run(
        chromium,
        """
        const square = [[10000, 10000], [50000, 10000], [50000, 40000], [10000, 40000]];
        const { inside, count } = pointsInside(square, xy, n, all);
        let expected = 0, wrong = 0;
        for (let i = 0; i < n; i++) {
          const x = xy[2 * i], y = xy[2 * i + 1];
          const within = x > 10000 && x < 50000 && y > 10000 && y < 40000;
          expected += within;
          wrong += within !== Boolean(inside[i]);
        }
        return [count, expected, wrong, pointsInside(square.slice(0, 2), xy, n, all).count];
        """,
    )
    assert found[0] == found[1] > 500
    assert found[2:] == [0, 0]


def test_a_long_lasso_is_shortened_and_keeps_its_shape(chromium: Any) -> None:
    length, farthest, corners = run(
        chromium,
        """
        const circle = Array.from({ length: 900 }, (_, k) => {
          const a = (2 * Math.PI * k) / 900;
          return [300 + 200 * Math.cos(a), 300 + 200 * Math.sin(a)];
        });
        const short = simplifyLasso(circle, 1.5, 60);
        const off = ([x, y]) => Math.abs(Math.hypot(x - 300, y - 300) - 200);
        const far = Math.max(...short.map(off));
        const dots = Array.from({ length: 50 }, () => [7, 7]);
        return [short.length, far, simplifyLasso(dots, 1.5, 60).length];
        """,
    )
    assert 12 <= length <= 60
    assert farthest < 1e-6
    assert corners <= 60


def test_palettes_fill_256_texels(chromium: Any) -> None:
    scale, named = run(
        chromium,
        """
        const ramp = paletteTexels(["#000000", "#ff0000", "#ffffff"], true);
        const set = paletteTexels(["#102030", "#405060"], false);
        return [[...ramp.slice(0, 4), ...ramp.slice(1020)], [...set.slice(0, 12)]];
        """,
    )
    assert scale == [0, 0, 0, 255, 255, 255, 255, 255]
    assert named == [16, 32, 48, 255, 64, 80, 96, 255, 64, 80, 96, 255]


def test_without_webgl_the_map_is_still_drawn(visit: Any) -> None:
    visit.page.add_init_script(
        """const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return kind === "webgl2" ? null : get.call(this, kind, ...rest); };"""
    )
    visit.open("/map?collection=pfm")
    visit.drawn(shown=60)
    painted = visit.page.locator(".map canvas").evaluate(
        """canvas => {
        const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"""
    )
    assert painted > 500
