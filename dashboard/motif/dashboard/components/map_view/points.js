// Arithmetic on points of a 65,536 x 65,536 lattice (one span for both axes).

const LATTICE = 65535;

/** Bits, least significant first, to one byte a point. */
function unpackMask(bytes, n) {
  const out = new Uint8Array(n);
  for (let i = 0; i < n; i++) out[i] = (bytes[i >> 3] >> (i & 7)) & 1;
  return out;
}

/** Points sorted into square cells: cell c has order[start[c] .. start[c + 1]]. */
function buildGrid(xy, n) {
  const side = Math.max(1, Math.min(512, Math.round(Math.sqrt(n / 4))));
  const start = new Uint32Array(side * side + 1);
  const cell = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const c = ((xy[2 * i + 1] * side) >> 16) * side + ((xy[2 * i] * side) >> 16);
    cell[i] = c;
    start[c + 1]++;
  }
  for (let c = 0; c < side * side; c++) start[c + 1] += start[c];
  const cursor = start.slice(0, side * side);
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[cursor[cell[i]]++] = i;
  return { side, start, order };
}

/** The nearest point to (x, y) within `radius` for which `eligible(i)` holds, else -1. */
function nearestPoint(grid, xy, x, y, radius, eligible) {
  const { side, start, order } = grid;
  const clampCell = (v) => Math.max(0, Math.min(side - 1, Math.floor((v * side) / (LATTICE + 1))));
  const left = clampCell(x - radius), right = clampCell(x + radius);
  const low = clampCell(y - radius), high = clampCell(y + radius);
  let best = -1, bestSquare = radius * radius;
  for (let row = low; row <= high; row++) {
    for (let k = start[row * side + left]; k < start[row * side + right + 1]; k++) {
      const i = order[k];
      const dx = xy[2 * i] - x, dy = xy[2 * i + 1] - y;
      const square = dx * dx + dy * dy;
      if (square <= bestSquare && eligible(i)) { best = i; bestSquare = square; }
    }
  }
  return best;
}

/** Even-odd rule: one byte a point, 1 inside the polygon [[x, y], ...] and eligible. */
function pointsInside(polygon, xy, n, eligible) {
  const out = new Uint8Array(n);
  const m = polygon.length;
  if (m < 3) return { inside: out, count: 0 };
  let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
  for (const [x, y] of polygon) {
    x0 = Math.min(x0, x); x1 = Math.max(x1, x); y0 = Math.min(y0, y); y1 = Math.max(y1, y);
  }
  let count = 0;
  for (let i = 0; i < n; i++) {
    const x = xy[2 * i], y = xy[2 * i + 1];
    if (x < x0 || x > x1 || y < y0 || y > y1 || !eligible(i)) continue;
    let odd = 0;
    for (let a = 0, b = m - 1; a < m; b = a++) {
      const [ax, ay] = polygon[a], [bx, by] = polygon[b];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd ^= 1;
    }
    out[i] = odd;
    count += odd;
  }
  return { inside: out, count };
}

/** Douglas-Peucker: drop vertices nearer than `tolerance` to the line that remains. */
function simplifyLine(points, tolerance) {
  if (points.length < 4) return points;
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const stack = [[0, points.length - 1]];
  while (stack.length) {
    const [a, b] = stack.pop();
    const [ax, ay] = points[a], [bx, by] = points[b];
    const length = Math.hypot(bx - ax, by - ay) || 1;
    let far = -1, farthest = tolerance;
    for (let i = a + 1; i < b; i++) {
      const [px, py] = points[i];
      const d = length === 1 && ax === bx && ay === by
        ? Math.hypot(px - ax, py - ay)
        : Math.abs((bx - ax) * (ay - py) - (ax - px) * (by - ay)) / length;
      if (d > farthest) { farthest = d; far = i; }
    }
    if (far > 0) { keep[far] = 1; stack.push([a, far], [far, b]); }
  }
  return points.filter((_, i) => keep[i]);
}

/** A lasso of at most `limit` vertices: the tolerance grows until it fits. */
function simplifyLasso(points, tolerance, limit) {
  let line = points;
  for (let t = tolerance; ; t *= 1.6) {
    line = simplifyLine(points, t);
    if (line.length <= limit) return line;
  }
}

/** A category's colour lightened for a dark ground. */
function liftColour(hex) {
  const lifted = [1, 3, 5].map((k) => { const v = parseInt(hex.slice(k, k + 2), 16); return Math.round(v + 0.28 * (255 - v)); });
  return `#${lifted.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** Colours as 256 RGBA texels: categories as they come, a continuous scale interpolated. */
function paletteTexels(colours, continuous) {
  const rgb = colours.map((hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)));
  const texels = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i++) {
    let colour = rgb[Math.min(i, rgb.length - 1)];
    if (continuous) {
      const t = (i / 255) * (rgb.length - 1);
      const k = Math.min(Math.floor(t), rgb.length - 2);
      colour = [0, 1, 2].map((c) => rgb[k][c] + (rgb[k + 1][c] - rgb[k][c]) * (t - k));
    }
    texels.set([colour[0], colour[1], colour[2], 255], 4 * i);
  }
  return texels;
}
