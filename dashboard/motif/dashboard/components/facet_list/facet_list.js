// Filters next to the map: categories with counts, numbers and dates with a histogram.

const unfolded = new WeakMap();

function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

function categoryRows(facet, send) {
  const most = Math.max(1, ...facet.options.map((option) => option.count));
  const rows = facet.options.map((option) => {
    const box = element("input", { type: "checkbox" });
    box.checked = option.on;
    box.addEventListener("change", () => {
      const on = facet.options.filter((o) => (o === option ? box.checked : o.on)).map((o) => o.value);
      send({ facet: facet.name, values: on });
    });
    const bar = element("i");
    bar.style.width = `${(100 * option.count) / most}%`;
    return element("label", { class: option.count ? "option" : "option none" }, box,
      element("span", { class: "name", title: option.value }, option.value),
      element("span", { class: "count" }, option.count.toLocaleString("en")), element("span", { class: "bar" }, bar));
  });
  if (facet.more) rows.push(element("p", { class: "more" }, `and ${facet.more} more: name them in the query above`));
  return rows;
}

function rangeRows(facet, send) {
  const bins = facet.counts.length;
  const most = Math.max(1, ...facet.counts);
  const bars = facet.counts.map((count, k) => {
    const bar = element("i", { title: `${facet.edges[k]} – ${facet.edges[k + 1]}: ${count.toLocaleString("en")}` });
    bar.style.height = `${count ? Math.max(6, (100 * count) / most) : 0}%`;
    return bar;
  });
  // Each handle has its own part of the track, so that neither covers the other.
  const middle = Math.max(1, Math.min(bins - 1, Math.round((facet.low + facet.high) / 2)));
  const [low, high] = [["low", "from", 0, middle], ["high", "to", middle, bins]].map(([end, word, min, max]) => {
    const handle = element("input", { type: "range", min, max, step: "1", "aria-label": `${facet.label}, ${word}` });
    handle.value = String(facet[end]);
    handle.style.left = `calc((100% - 14px) * ${min / bins})`;
    handle.style.width = `calc(14px + (100% - 14px) * ${(max - min) / bins})`;
    return handle;
  });
  const words = element("div", { class: "ends" }, element("span"), element("span"));
  const paint = () => {
    const a = Math.min(+low.value, +high.value), b = Math.max(+low.value, +high.value);
    bars.forEach((bar, k) => bar.classList.toggle("out", k < a || k >= b));
    words.firstChild.textContent = facet.edges[a];
    words.lastChild.textContent = facet.edges[b];
    for (const handle of [low, high]) handle.setAttribute("aria-valuetext", facet.edges[+handle.value]);
    return [a, b];
  };
  const commit = () => {
    let [a, b] = paint();
    if (a === b) { if (b < bins) b++; else a--; }
    send({ facet: facet.name, range: a === 0 && b === bins ? null : [a, b] });
  };
  for (const handle of [low, high]) {
    handle.addEventListener("input", paint);
    handle.addEventListener("change", commit);
  }
  paint();
  return [element("div", { class: "histogram" }, ...bars), element("div", { class: "handles" }, low, high), words];
}

function section(facet, open, send) {
  const summary = element("summary", {}, element("span", {}, facet.label));
  const box = element("details", { "data-facet": facet.name }, summary,
    ...(facet.options ? categoryRows(facet, send) : rangeRows(facet, send)));
  box.open = open.has(facet.name);
  box.addEventListener("toggle", () => (box.open ? open.add(facet.name) : open.delete(facet.name)));
  const whole = element("div", { class: "facet" }, box);
  if (facet.active) {
    const any = `Any ${facet.label.toLowerCase()}`;
    const reset = element("button", { type: "button", class: "clear", title: any, "aria-label": any }, "clear");
    reset.addEventListener("click", () => send({ facet: facet.name, values: [] }));
    whole.append(reset);
  }
  return whole;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let panel = parentElement.querySelector(".facets");
  if (!panel) {
    panel = element("div", { class: "facets" });
    parentElement.append(panel);
    unfolded.set(panel, new Set(data.facets.filter((f, k) => k < data.open || f.active).map((f) => f.name)));
  }
  const focused = panel.getRootNode().activeElement;
  const place = focused && [...panel.querySelectorAll("input, summary, button")].indexOf(focused);
  const open = unfolded.get(panel);
  panel.replaceChildren(...data.facets.map((facet) => section(facet, open, (change) => setTriggerValue("changed", change))));
  if (focused && place >= 0) panel.querySelectorAll("input, summary, button")[place]?.focus({ preventScroll: true });
}
