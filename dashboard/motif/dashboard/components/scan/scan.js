// An image with its axes and colour scale, and a line that can be drawn over it.

const scans = new WeakMap();
const STEP = 0.02;
const SHORT = 0.01; // a line shorter than this share of the image is a click

function element(tag, attributes = {}, ...children) {
  const svg = ["svg", "line", "circle"].includes(tag);
  const created = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

class Scan {
  constructor(parent) {
    this.image = element("img", { draggable: "false", decoding: "async" });
    this.line = element("line", { "vector-effect": "non-scaling-stroke" });
    this.halo = element("line", { class: "halo", "vector-effect": "non-scaling-stroke" });
    this.over = element("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" }, this.halo, this.line);
    this.knobs = [element("i"), element("i")];
    this.picture = element("div", { class: "picture", tabindex: "0", role: "application",
      "aria-label": "Line over the image: drag, or use the arrow keys, with shift to rotate it; Enter draws its profile, Escape removes it" },
    this.image, this.over, ...this.knobs);
    this.left = element("div", { class: "left", "aria-hidden": "true" });
    this.below = element("div", { class: "below", "aria-hidden": "true" });
    this.bar = element("div", { class: "bar" });
    this.high = element("span");
    this.low = element("span");
    this.scale = element("div", { class: "scale", role: "img" }, this.high, this.bar, this.low);
    this.root = element("div", { class: "scan" }, this.left, this.picture, this.scale, this.below);
    parent.append(this.root);
    this.listen();
  }

  listen() {
    let start = null;
    const place = (event) => {
      const box = this.picture.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((v) => Math.min(1, Math.max(0, v)));
    };
    this.picture.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      start = place(event);
      this.picture.setPointerCapture(event.pointerId);
    });
    this.picture.addEventListener("pointermove", (event) => {
      if (!start) return;
      const end = place(event);
      if (Math.hypot(end[0] - start[0], end[1] - start[1]) < SHORT) return;
      this.ends = [...start, ...end];
      this.paint();
    });
    this.picture.addEventListener("pointerup", (event) => {
      if (!start) return;
      const end = place(event), far = Math.hypot(end[0] - start[0], end[1] - start[1]) >= SHORT;
      start = null;
      if (far) this.send({ line: this.ends });
    });
    this.picture.addEventListener("pointercancel", () => { start = null; });
    this.picture.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [0, 0];
    if (dx || dy) {
      const [x0, y0, x1, y1] = this.ends || [0, 0.5, 1, 0.5];
      const clip = (v) => Math.min(1, Math.max(0, v));
      const moved = event.shiftKey
        ? [x0, y0, clip(x1 + dx * STEP), clip(y1 + dy * STEP)]
        : [clip(x0 + dx * STEP), clip(y0 + dy * STEP), clip(x1 + dx * STEP), clip(y1 + dy * STEP)];
      if (moved[0] === moved[2] && moved[1] === moved[3]) return;
      this.ends = moved;
      this.paint();
    } else if (event.key === "Enter") this.send({ line: this.ends || [0, 0.5, 1, 0.5] });
    else if (event.key === "Escape") { this.ends = null; this.paint(); this.send({ line: null }); }
    else return;
    event.preventDefault();
  }

  update(data, send) {
    this.send = send;
    if (this.image.getAttribute("src") !== data.image) this.image.src = data.image;
    this.image.alt = data.title;
    this.picture.style.aspectRatio = data.aspect;
    this.ends = data.line;
    this.axis(this.left, data.y, true);
    this.axis(this.below, data.x, false);
    this.bar.style.background = `linear-gradient(to top, ${data.colours.join(",")})`;
    this.high.textContent = data.high;
    this.low.textContent = data.low;
    this.scale.setAttribute("aria-label", `Colours from ${data.low} to ${data.high}`);
    this.paint();
  }

  /** Ticks at shares of a side; y counts from the top, as the pixels do. */
  axis(box, axis, turned) {
    const marks = axis.ticks.map(([share, text]) => {
      const mark = element("span", {}, text);
      mark.style[turned ? "top" : "left"] = `${100 * share}%`;
      return mark;
    });
    box.replaceChildren(...marks, element("em", {}, `${turned ? "y" : "x"} (${axis.unit})`));
  }

  paint() {
    const shown = Boolean(this.ends);
    this.over.style.display = shown ? "" : "none";
    this.knobs.forEach((knob, k) => {
      knob.hidden = !shown;
      if (!shown) return;
      knob.style.left = `${100 * this.ends[2 * k]}%`;
      knob.style.top = `${100 * this.ends[2 * k + 1]}%`;
    });
    if (!shown) return;
    for (const line of [this.halo, this.line])
      ["x1", "y1", "x2", "y2"].forEach((name, k) => line.setAttribute(name, this.ends[k]));
  }
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  if (!scans.has(parentElement)) scans.set(parentElement, new Scan(parentElement));
  scans.get(parentElement).update(data, (event) => setTriggerValue("drawn", event));
}
