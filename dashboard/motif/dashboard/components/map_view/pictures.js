// Representatives: thumbnails drawn at their points without overlap.

const PICTURE = 60;      // px a side
const MIN_DISTANCE = 70;        // px between the middles of two
const MOST_PICTURES = 70;
const LOOKED_AT = 20000; // the buffer is shuffled, so its head is a fair sample

/**
 * Points to show as pictures: the first of a fair sample, each far enough from those before it.
 * Crowds are met first, and what stands alone keeps its place.
 */
function representatives(n, place, eligible, [width, height], minDistance = MIN_DISTANCE, most = MOST_PICTURES) {
  const chosen = [];
  const cells = new Map();
  const half = PICTURE / 2;
  let looked = 0;
  for (let i = 0; i < n && chosen.length < most && looked < LOOKED_AT; i++) {
    if (!eligible(i)) continue;
    const [x, y] = place(i);
    if (x < half || y < half || x > width - half || y > height - half) continue;
    looked++;
    const cx = Math.floor(x / minDistance), cy = Math.floor(y / minDistance);
    let free = true;
    for (let dx = -1; free && dx <= 1; dx++)
      for (let dy = -1; free && dy <= 1; dy++)
        for (const [ox, oy] of cells.get(`${cx + dx},${cy + dy}`) || [])
          if (Math.abs(ox - x) < minDistance && Math.abs(oy - y) < minDistance) { free = false; break; }
    if (!free) continue;
    const key = `${cx},${cy}`;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push([x, y]);
    chosen.push(i);
  }
  return chosen;
}

/** The layer of thumbnails; they keep their points while the map moves and change when it stops. */
class Pictures {
  constructor() {
    this.root = make("div", { class: "pictures", "aria-hidden": "true" });
    this.shown = [];
  }

  /** Draw `points` (places in the buffer) with the address and colour of each. */
  draw(points, address, colour) {
    const before = new Map(this.shown.map((one) => [one.point, one]));
    this.shown = points.map((point) => {
      const kept = before.get(point);
      const image = kept && kept.address === address(point) ? kept.image : make("img", { src: address(point), alt: "", loading: "lazy", decoding: "async" });
      image.style.borderColor = colour(point);
      return { point, image, address: address(point) };
    });
    this.root.replaceChildren(...this.shown.map((one) => one.image));
  }

  move(place) {
    for (const { point, image } of this.shown) {
      const [x, y] = place(point);
      image.style.transform = `translate(${x - PICTURE / 2}px, ${y - PICTURE / 2}px)`;
    }
  }

  /** The point whose picture is at a position on the screen, -1 for none. */
  at([x, y], place) {
    const half = PICTURE / 2;
    for (const { point } of this.shown) {
      const [px, py] = place(point);
      if (Math.abs(px - x) <= half && Math.abs(py - y) <= half) return point;
    }
    return -1;
  }
}
