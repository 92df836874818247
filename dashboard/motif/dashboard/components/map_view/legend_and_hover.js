// Elements, colours, the legend and the card shown on hover.

const FETCH_MS = 30;  // rest of the pointer before data are fetched
const DWELL_MS = 80;  // rest of the pointer before the card is shown

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function cssColour(text, fallback) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = fallback;
  probe.fillStyle = text.trim() || fallback;
  const hex = /^#(..)(..)(..)$/.exec(probe.fillStyle);
  return hex ? hex.slice(1).map((v) => parseInt(v, 16) / 255) : [0.5, 0.5, 0.5];
}

/** Categories without points are left out; the others show how many points pass the filter. */
function fillLegend(box, legend, passing, off, toggle) {
  box.replaceChildren(make("div", { class: "title" }, legend.title));
  if (legend.continuous) {
    const ramp = make("div", { class: "ramp" });
    ramp.style.background = `linear-gradient(to right, ${legend.colours.join(",")})`;
    box.append(ramp, make("div", { class: "ends" }, make("span", {}, legend.low), make("span", {}, legend.high)));
    return;
  }
  legend.labels.forEach((label, k) => {
    if (!legend.counts[k]) return;
    const dot = make("i");
    dot.style.background = legend.colours[k];
    const entry = make("button", { type: "button", "aria-pressed": String(!off.has(k)), title: `Show or hide ${label}` },
      dot, make("span", {}, label), make("em", {}, passing[k].toLocaleString("en")));
    entry.addEventListener("click", () => toggle(k));
    box.append(entry);
  });
}

/** A thumbnail and a caption next to a point, after the pointer has rested on it. */
class HoverCard {
  constructor() {
    this.root = make("div", { class: "tip", role: "tooltip", hidden: "" });
    this.turn = 0;
  }

  hide() {
    this.turn++;
    clearTimeout(this.waiting);
    this.root.hidden = true;
  }

  /** Show `${url}.webp` and the words of `${url}.json` next to place() inside [width, height]. */
  announce(url, place, size) {
    const turn = ++this.turn;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      const image = make("img", { src: `${url}.webp`, alt: "", width: "128", height: "128" });
      const asked = fetch(`${url}.json`).catch(() => null);
      const rest = this.root.hidden ? DWELL_MS - FETCH_MS : 0;
      this.waiting = setTimeout(() => this.show(turn, image, asked, place, size), rest);
    }, FETCH_MS);
  }

  async show(turn, image, asked, place, size) {
    const words = make("div", { class: "words" });
    this.root.replaceChildren(image, words);
    this.root.hidden = false;
    this.settle(place, size);
    const reply = await asked;
    const about = reply?.ok ? await reply.json() : null;
    if (turn !== this.turn || !about) return;
    words.append(make("b", {}, about.title), ...about.lines.map((line) => make("span", {}, line)));
    image.alt = about.title;
    this.settle(place, size);
  }

  settle(place, [width, height]) {
    const [x, y] = place();
    const { offsetWidth: w, offsetHeight: h } = this.root;
    const left = x + 16 + w < width ? x + 16 : x - 16 - w;
    this.root.style.left = `${Math.max(4, left)}px`;
    this.root.style.top = `${Math.max(4, Math.min(height - h - 4, y + 12))}px`;
  }
}
