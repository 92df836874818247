// A rectangle drawn on an image, in shares of its width and height.

const pictures = new WeakMap();
const STEP = 0.02;

function make(parentElement) {
  const frame = document.createElement("div");
  frame.className = "frame";
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", "Region of the image: drag, or use the arrow keys, with shift to resize; Enter searches, Escape clears");
  const image = document.createElement("img");
  image.draggable = false;
  const box = document.createElement("div");
  box.className = "box";
  frame.append(image, box);
  parentElement.append(frame);
  const state = { frame, image, box, region: null, send: null };

  const place = (event) => {
    const around = frame.getBoundingClientRect();
    return [(event.clientX - around.left) / around.width, (event.clientY - around.top) / around.height]
      .map((v) => Math.min(1, Math.max(0, v)));
  };
  let start = null;
  frame.addEventListener("pointerdown", (event) => {
    start = place(event);
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    if (!start) return;
    const end = place(event);
    state.region = [Math.min(start[0], end[0]), Math.min(start[1], end[1]),
      Math.abs(end[0] - start[0]), Math.abs(end[1] - start[1])];
    paint(state);
  });
  frame.addEventListener("pointerup", () => {
    if (!start) return;
    start = null;
    if (state.region && Math.min(state.region[2], state.region[3]) < 0.01) state.region = null;
    state.send({ region: state.region });
  });
  frame.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [0, 0];
    if (dx || dy) {
      const [x, y, w, h] = state.region || [0.25, 0.25, 0.5, 0.5];
      const clip = (v, high) => Math.min(high, Math.max(0, v));
      state.region = event.shiftKey
        ? [x, y, clip(w + dx * STEP, 1 - x), clip(h + dy * STEP, 1 - y)]
        : [clip(x + dx * STEP, 1 - w), clip(y + dy * STEP, 1 - h), w, h];
      paint(state);
    } else if (event.key === "Enter") state.send({ region: state.region });
    else if (event.key === "Escape") { state.region = null; paint(state); state.send({ region: null }); }
    else return;
    event.preventDefault();
  });
  return state;
}

function paint({ box, region }) {
  box.hidden = !region;
  if (!region) return;
  ["left", "top", "width", "height"].forEach((side, k) => { box.style[side] = `${100 * region[k]}%`; });
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  if (!pictures.has(parentElement)) pictures.set(parentElement, make(parentElement));
  const state = pictures.get(parentElement);
  state.send = (event) => setTriggerValue("drawn", event);
  if (state.image.getAttribute("src") !== data.image) state.image.src = data.image;
  state.image.alt = data.title;
  state.frame.style.aspectRatio = data.aspect;
  state.region = data.region;
  paint(state);
}
