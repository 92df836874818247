// The map: pan, zoom, box, lasso, hover, click, legend, pictures. Needs points.js, paint.js, legend_and_hover.js, pictures.js and gestures.js before it.

const PICK_RADIUS = 14;        // px around the pointer
const SETTLE_MS = 180;         // after the last movement every point is drawn again
const MOVING_POINTS = 100000;  // the buffer is shuffled, so its head is a fair sample
const MARGIN = 56;             // px around the points when all are shown
const LEGEND_GAP = 48;         // px from the edge to the legend, and from it to the points and their pictures
const MODES = [
  ["pan", "Pan", "Drag to move, wheel to zoom"],
  ["box", "Box", "Drag a rectangle around points"],
  ["lasso", "Lasso", "Draw around points (or hold Shift)"],
];

const maps = new WeakMap();
const downloads = new Map();

function download(url) {
  if (!downloads.has(url)) {
    if (downloads.size > 12) downloads.delete(downloads.keys().next().value);
    const job = fetch(url).then((reply) => {
      if (!reply.ok) throw new Error(`The points could not be loaded (${reply.status}). Reload the page.`);
      return reply.arrayBuffer();
    });
    job.catch(() => downloads.delete(url));
    downloads.set(url, job);
  }
  return downloads.get(url);
}

class PointMap {
  constructor(parent) {
    this.n = 0;
    this.data = {};
    this.view = null;
    this.hovered = -1;
    this.selection = null;
    this.mode = "pan";
    this.build(parent);
    this.painter = makePainter(this.canvas);
    this.listen();
  }

  build(parent) {
    this.canvas = make("canvas", { class: "points" });
    this.overlay = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.polygonPath = document.createElementNS("http://www.w3.org/2000/svg", "path");
    this.ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    this.pin = this.ring.cloneNode();
    this.ring.setAttribute("r", "7");
    this.pin.setAttribute("r", "9");
    this.pin.setAttribute("class", "pin");
    this.overlay.append(this.polygonPath, this.pin, this.ring);
    this.buttons = MODES.map(([mode, label, hint]) => {
      const button = make("button", { type: "button", title: hint, "data-mode": mode }, label);
      button.addEventListener("click", () => this.setMode(mode));
      return button;
    });
    this.clear = make("button", { type: "button", title: "Clear the selection", class: "quiet" }, "Clear");
    this.clear.addEventListener("click", () => this.choose(null));
    this.fit = make("button", { type: "button", title: "Show all points", class: "quiet" }, "Fit");
    this.fit.addEventListener("click", () => this.fitView());
    this.gallery = make("button", { type: "button", title: "Show some points as thumbnails", class: "quiet" }, "Pictures");
    this.gallery.addEventListener("click", () => this.togglePictures());
    this.pictures = new Pictures();
    this.tools = make("div", { class: "tools", role: "toolbar", "aria-label": "Map tools" },
      make("span", { class: "modes" }, ...this.buttons), this.fit, this.gallery, this.clear);
    this.legend = make("div", { class: "legend" });
    this.card = new HoverCard();
    this.status = make("div", { class: "status", role: "status" });
    this.root = make("div", { class: "map", tabindex: "0", role: "application", "aria-label": "Map of measurements" },
      this.canvas, this.pictures.root, this.overlay, this.tools, this.legend, this.status, this.card.root);
    parent.append(this.root);
    this.setMode("pan");
  }

  listen() {
    this.gestures = new Gestures(this);
    this.canvas.addEventListener("webglcontextlost", (e) => e.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => { this.painter.build(); this.upload(); });
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.root);
  }

  destroy() {
    this.watcher.disconnect();
    clearTimeout(this.settling);
    this.card.hide();
    this.painter.release();
    this.root.remove();
  }

  // ---- data from Python -------------------------------------------------------------------

  async update(data, send) {
    this.send = send;
    const before = this.data;
    this.data = data;
    this.theme();
    if (data.xy !== before.xy) this.root.dataset.state = "loading";
    let parts;
    try {
      parts = await Promise.all([data.xy, data.colour, data.mask].map((url) => (url ? download(url) : null)));
    } catch (error) {
      if (this.data === data) this.fail(error.message);
      return;
    }
    if (this.data !== data) return;
    const [xy, colour, mask] = parts;
    if (data.xy !== before.xy || !this.n) {
      this.xy = new Uint16Array(xy);
      this.n = this.xy.length / 2;
      this.grid = buildGrid(this.xy, this.n);
      this.view = null;
      this.hovered = -1;
    }
    this.colour = new Uint8Array(colour);
    this.mask = mask ? unpackMask(new Uint8Array(mask), this.n) : null;
    this.off = new Set(data.hidden || []);
    this.polygon = data.polygon?.length ? data.polygon.map((p) => this.toLattice(p)) : null;
    this.withPictures = Boolean(data.pictures);
    this.restate();
    this.buildLegend();
    this.upload();
    if (!this.view) this.fitView();
    else this.choosePictures();
    this.root.dataset.state = "drawn";
  }

  fail(message) {
    this.root.dataset.state = "failed";
    this.status.textContent = message;
  }

  theme() {
    const css = getComputedStyle(this.root);
    this.paper = cssColour(css.getPropertyValue("--st-background-color"), "#ffffff");
    const ink = cssColour(css.getPropertyValue("--st-text-color"), "#31333f");
    const dark = this.paper[0] + this.paper[1] + this.paper[2] < 1.5;
    const { colours, continuous } = this.data.legend;
    this.shades = dark && !continuous ? colours.map(liftColour) : colours;
    this.muted = ink.map((v, k) => 0.42 * v + 0.58 * this.paper[k]);
  }

  toLattice([x, y]) {
    const { x: x0, y: y0, span } = this.data.bounds;
    return [((x - x0) / span) * LATTICE, ((y - y0) / span) * LATTICE];
  }

  toData([x, y]) {
    const { x: x0, y: y0, span } = this.data.bounds;
    return [x0 + (x / LATTICE) * span, y0 + (y / LATTICE) * span];
  }

  eligible(i) {
    return (!this.mask || this.mask[i] === 1) && !this.off.has(this.colour[i]);
  }

  restate() {
    this.state = new Uint8Array(this.n);
    this.shown = 0;
    this.passing = new Uint32Array(256);  // points of each colour that pass the filter
    for (let i = 0; i < this.n; i++) {
      const on = this.eligible(i);
      if (!this.mask || this.mask[i] === 1) this.passing[this.colour[i]]++;
      this.state[i] = on ? SHOWN : GHOST;
      this.shown += on;
    }
    this.selection = this.polygon ? pointsInside(this.polygon, this.xy, this.n, (i) => this.eligible(i)) : null;
    if (this.selection) {
      const inside = this.selection.inside;
      for (let i = 0; i < this.n; i++) if (inside[i]) this.state[i] = CHOSEN;
    }
    this.clear.hidden = !this.polygon;
    const count = (v) => v.toLocaleString("en");
    let text = this.shown === this.n ? `${count(this.n)} points` : `${count(this.shown)} of ${count(this.n)} points`;
    if (this.selection) text += ` · ${count(this.selection.count)} selected`;
    this.status.textContent = text;
    this.root.dataset.shown = this.shown;
    this.root.dataset.selected = this.selection ? this.selection.count : "";
  }

  upload() {
    this.painter.load("place", this.xy);
    this.painter.load("colour", this.colour);
    this.painter.load("state", this.state);
    this.painter.loadPalette(paletteTexels(this.shades, this.data.legend.continuous));
    this.redraw();
  }

  // ---- drawing ----------------------------------------------------------------------------

  resize() {
    this.width = this.root.clientWidth;
    this.height = this.root.clientHeight;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    if (!this.n) return;
    if (this.view?.fitted) this.fitView();
    else { this.choosePictures(); this.redraw(); }
  }

  fitView() {
    if (!this.n || !this.width) return;
    let x1 = 0, y1 = 0;
    for (let i = 0; i < this.n; i++) {
      if (this.xy[2 * i] > x1) x1 = this.xy[2 * i];
      if (this.xy[2 * i + 1] > y1) y1 = this.xy[2 * i + 1];
    }
    const w = Math.max(x1 / LATTICE, 1e-3), h = Math.max(y1 / LATTICE, 1e-3);
    const legendWidth = Math.min(this.legend.offsetWidth + LEGEND_GAP, 0.4 * this.width);  // the legend covers no point
    const right = Math.max(MARGIN, legendWidth);
    const scale = Math.min((this.width - MARGIN - right) / w, (this.height - 2 * MARGIN) / h);
    this.home = Math.max(scale, 20);
    this.view = { x: w / 2 + (right - MARGIN) / 2 / this.home, y: h / 2, scale: this.home, fitted: true };
    this.choosePictures();
    this.redraw();
  }

  moved() {
    this.view.fitted = false;
    this.moving = true;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => { this.moving = false; this.choosePictures(); this.redraw(); }, SETTLE_MS);
    this.redraw();
  }

  redraw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.paint(); });
  }

  paint() {
    if (!this.view || !this.width || !this.state) return;
    const zoom = Math.max(1, Math.min(2.4, Math.sqrt(this.view.scale / this.home)));
    const size = Math.max(2, Math.min(11, 15 - 2.5 * Math.log10(this.n))) * zoom;
    const count = this.moving ? Math.min(this.n, MOVING_POINTS) : this.n;
    this.painter.draw(count, { ...this.view, width: this.width, height: this.height, ratio: this.ratio, size,
      choosing: Boolean(this.selection), muted: this.muted, paper: this.paper });
    this.drawOutline();
    this.placeRing();
    this.pictures.move((i) => this.pointPlace(i));
  }

  /** Choose the points shown as pictures, among the selection if there is one. */
  choosePictures() {
    this.gallery.setAttribute("aria-pressed", String(this.withPictures));
    const wanted = this.selection ? (i) => this.state[i] === CHOSEN : (i) => this.eligible(i);
    const points = this.withPictures && this.view && this.width
      ? representatives(this.n, (i) => this.pointPlace(i), wanted, [this.width, this.height]) : [];
    const shade = (i) => (this.data.legend.continuous ? "" : this.shades[this.colour[i]]);
    this.pictures.draw(points, (i) => `${this.data.points}/${i}.webp`, shade);
    this.pictures.move((i) => this.pointPlace(i));
    this.root.dataset.pictures = points.length;
  }

  togglePictures() {
    this.withPictures = !this.withPictures;
    this.choosePictures();
    this.send("pictures", { on: this.withPictures });
  }

  toScreen([x, y]) {
    return [(x / LATTICE - this.view.x) * this.view.scale + this.width / 2,
      this.height / 2 - (y / LATTICE - this.view.y) * this.view.scale];
  }

  fromScreen([px, py]) {
    return [((px - this.width / 2) / this.view.scale + this.view.x) * LATTICE,
      ((this.height / 2 - py) / this.view.scale + this.view.y) * LATTICE];
  }

  drawOutline() {
    const drawn = this.gestures.path?.length > 1 ? this.gestures.path : this.polygon?.map((p) => this.toScreen(p));
    this.polygonPath.setAttribute("d", drawn
      ? `M${drawn.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}Z` : "");
  }

  placeRing() {
    const current = this.data.current < this.n ? this.data.current : -1;
    for (const [circle, i] of [[this.ring, this.hovered], [this.pin, current]]) {
      circle.style.display = i < 0 ? "none" : "";
      if (i < 0) continue;
      const [x, y] = this.pointPlace(i);
      circle.setAttribute("cx", x);
      circle.setAttribute("cy", y);
    }
  }

  buildLegend() {
    fillLegend(this.legend, { ...this.data.legend, colours: this.shades }, this.passing, this.off, (k) => this.toggle(k));
  }

  // ---- what the user does (gestures.js calls these) ---------------------------------------

  setMode(mode) {
    this.mode = mode;
    this.root.dataset.mode = mode;
    for (const b of this.buttons) b.setAttribute("aria-pressed", String(b.dataset.mode === mode));
  }

  toggle(k) {
    if (this.off.has(k)) this.off.delete(k); else this.off.add(k);
    if (this.off.size === this.data.legend.labels.length) this.off.clear();
    this.buildLegend();
    this.restate();
    this.painter.load("state", this.state);
    this.choosePictures();
    this.redraw();
    this.send("hidden", { places: [...this.off].sort((a, b) => a - b) });
  }

  choose(polygon) {
    this.polygon = polygon;
    this.restate();
    this.painter.load("state", this.state);
    this.choosePictures();
    this.redraw();
    this.send("selection", { polygon: (polygon || []).map((p) => this.toData(p)) });
  }

  panBy(dx, dy) {
    this.view.x -= dx / this.view.scale;
    this.view.y += dy / this.view.scale;
    this.moved();
  }

  zoom(factor, place) {
    const before = this.fromScreen(place);
    this.view.scale = Math.max(this.home / 4, Math.min(this.home * 4000, this.view.scale * factor));
    const after = this.fromScreen(place);
    this.view.x += (before[0] - after[0]) / LATTICE;
    this.view.y += (before[1] - after[1]) / LATTICE;
    this.hover(-1);
    this.moved();
  }

  open(i) {
    if (i >= 0) this.send("clicked", { index: i, map: this.data.key });
  }

  near(place) {
    const pictured = this.pictures.at(place, (i) => this.pointPlace(i));
    if (pictured >= 0) return pictured;
    const [x, y] = this.fromScreen(place);
    const radius = (PICK_RADIUS / this.view.scale) * LATTICE;
    return nearestPoint(this.grid, this.xy, x, y, radius, (i) => this.eligible(i));
  }

  /** Show the point nearest the middle, or open it when it is shown already. */
  look(centre) {
    const [x, y] = this.fromScreen(centre);
    const i = nearestPoint(this.grid, this.xy, x, y, 4 * LATTICE, (k) => this.eligible(k));
    if (i >= 0 && i === this.hovered) this.open(i);
    else this.hover(i);
  }

  seek(place, target) {
    const over = target === this.root || target === this.canvas || this.overlay.contains(target);
    this.hover(over ? this.near(place) : -1);
  }

  hover(i) {
    if (i === this.hovered) return;
    this.hovered = i;
    this.placeRing();
    this.root.classList.toggle("over", i >= 0);
    if (i < 0) this.card.hide();
    else this.card.announce(`${this.data.points}/${i}`, () => this.pointPlace(i), [this.width, this.height]);
  }

  pointPlace(i) { return this.toScreen([this.xy[2 * i], this.xy[2 * i + 1]]); }
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  if (!maps.has(parentElement)) maps.set(parentElement, new PointMap(parentElement));
  maps.get(parentElement).update(data, setTriggerValue);
  return () => {
    maps.get(parentElement)?.destroy();
    maps.delete(parentElement);
  };
}
