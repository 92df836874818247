// Boxes in columns with arrows from left to right; a box that has a page is a link.

const graphs = new WeakMap();
const NS = "http://www.w3.org/2000/svg";

function box(node) {
  const created = document.createElement(node.href ? "a" : "div");
  created.className = `node ${node.mark}`.trim();
  if (node.href) { created.href = node.href; created.target = "_top"; }
  const title = document.createElement("b");
  title.textContent = node.title;
  created.title = [node.title, ...node.lines].join("\n");
  created.append(title);
  for (const line of node.lines) {
    const span = document.createElement("span");
    span.textContent = line;
    created.append(span);
  }
  if (node.mark === "tainted") {
    const em = document.createElement("em");
    em.textContent = "rests on an error";
    created.append(em);
  }
  return created;
}

class Graph {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "graph";
    this.arrows = document.createElementNS(NS, "svg");
    this.arrows.setAttribute("aria-hidden", "true");
    this.columns = document.createElement("div");
    this.columns.className = "columns";
    this.root.append(this.arrows, this.columns);
    parent.append(this.root);
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.columns);
  }

  update(data) {
    this.boxes = new Map();
    this.edges = data.edges;
    const depth = Math.max(...data.nodes.map((node) => node.layer)) + 1;
    const columns = Array.from({ length: depth }, () => {
      const column = document.createElement("div");
      column.setAttribute("role", "list");
      return column;
    });
    for (const node of data.nodes) {
      const cell = document.createElement("div");
      cell.setAttribute("role", "listitem");
      const created = box(node);
      cell.append(created);
      columns[node.layer].append(cell);
      this.boxes.set(node.key, created);
    }
    this.columns.replaceChildren(...columns);
    this.draw();
  }

  draw() {
    const around = this.columns.getBoundingClientRect();
    this.arrows.setAttribute("width", around.width);
    this.arrows.setAttribute("height", around.height);
    this.arrows.replaceChildren(...this.edges.map(([from, to]) => {
      const a = this.boxes.get(from)?.getBoundingClientRect(), b = this.boxes.get(to)?.getBoundingClientRect();
      const path = document.createElementNS(NS, "path");
      if (!a || !b) return path;
      const [x0, y0] = [a.right - around.left, a.top + a.height / 2 - around.top];
      const [x1, y1] = [b.left - around.left - 1, b.top + b.height / 2 - around.top];
      const bend = (x1 - x0) / 2;
      path.setAttribute("d", `M${x0},${y0}C${x0 + bend},${y0} ${x1 - bend},${y1} ${x1},${y1}M${x1 - 6},${y1 - 4}L${x1},${y1}L${x1 - 6},${y1 + 4}`);
      return path;
    }));
  }
}

export default function (component) {
  const { parentElement, data } = component;
  if (!graphs.has(parentElement)) graphs.set(parentElement, new Graph(parentElement));
  graphs.get(parentElement).update(data);
  return () => {
    graphs.get(parentElement)?.watcher.disconnect();
    graphs.delete(parentElement);
  };
}
