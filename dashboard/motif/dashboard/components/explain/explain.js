// Two images; similar regions stay bright and the rest is dimmed.

const DIM = 0.78; // opacity over the least similar region

function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

function veil(cells) {
  const high = cells.length, wide = cells[0].length;
  const canvas = element("canvas", { width: String(wide), height: String(high), "aria-hidden": "true" });
  const brush = canvas.getContext("2d");
  const pixels = brush.createImageData(wide, high);
  cells.forEach((row, y) => row.forEach((share, x) => { pixels.data[4 * (y * wide + x) + 3] = 255 * DIM * (1 - share); }));
  brush.putImageData(pixels, 0, 0);
  return canvas;
}

export default function (component) {
  const { parentElement, data } = component;
  let root = parentElement.querySelector(".why");
  if (!root) {
    root = element("div", { class: "why" });
    parentElement.append(root);
  }
  const bare = element("label", {}, element("input", { type: "checkbox" }), "Images without overlay");
  bare.firstChild.addEventListener("change", (event) => root.classList.toggle("bare", event.target.checked));
  const figures = data.pictures.map((one) => {
    const image = element("img", { src: one.image, alt: one.title });
    const frame = element("div", { class: "pair" }, image, veil(one.cells));
    return element("figure", {}, frame, element("figcaption", {}, one.title));
  });
  root.classList.remove("bare");
  root.replaceChildren(element("div", { class: "both" }, ...figures),
    element("div", { class: "legend" }, element("span", {}, data.low), element("i"), element("span", {}, data.high), bare));
}
