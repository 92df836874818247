// Mouse, pen, touch, wheel and keyboard on the map, turned into calls of the map's own methods.

const LASSO_VERTICES = 60;
const STILL = 4;  // px a pointer may move and still click

class Gestures {
  constructor(map) {
    this.map = map;
    this.drag = null;
    const root = map.root;
    root.addEventListener("pointerdown", (e) => this.onDown(e));
    root.addEventListener("pointermove", (e) => this.onMove(e));
    root.addEventListener("pointerup", (e) => this.onUp(e));
    root.addEventListener("pointercancel", () => { this.drag = null; map.drawOutline(); });
    root.addEventListener("pointerleave", () => map.hover(-1));
    root.addEventListener("wheel", (e) => this.onWheel(e), { passive: false });
    root.addEventListener("keydown", (e) => this.onKey(e));
  }

  /** The polygon being drawn, in pixels. */
  get path() { return this.drag?.path; }

  at(event) {
    const box = this.map.root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  onDown(event) {
    if (event.button !== 0 || !this.map.view || event.target.closest("button")) return;
    const place = this.at(event);
    this.drag = { mode: event.shiftKey ? "lasso" : this.map.mode, from: place, last: place, path: null, far: false };
    this.map.root.setPointerCapture(event.pointerId);
  }

  onMove(event) {
    if (!this.map.view) return;
    const place = this.at(event), drag = this.drag;
    if (!drag) { this.map.seek(place, event.target); return; }
    if (!drag.far && Math.hypot(place[0] - drag.from[0], place[1] - drag.from[1]) < STILL) return;
    drag.far = true;
    this.map.hover(-1);
    if (drag.mode === "pan") this.map.panBy(place[0] - drag.last[0], place[1] - drag.last[1]);
    else {
      if (drag.mode === "box") {
        const [ax, ay] = drag.from, [bx, by] = place;
        drag.path = [[ax, ay], [bx, ay], [bx, by], [ax, by]];
      } else (drag.path = drag.path || [drag.from]).push(place);
      this.map.drawOutline();
    }
    drag.last = place;
  }

  onUp(event) {
    const drag = this.drag;
    this.drag = null;
    if (!drag) return;
    if (drag.far && drag.path) {
      const path = drag.mode === "lasso" ? simplifyLasso(drag.path, 1.5, LASSO_VERTICES) : drag.path;
      if (path.length > 2) this.map.choose(path.map((p) => this.map.fromScreen(p)));
      this.map.drawOutline();
    } else if (!drag.far) {
      this.map.open(this.map.near(this.at(event)));
    }
  }

  onWheel(event) {
    if (!this.map.view) return;
    event.preventDefault();
    this.map.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.at(event));
  }

  onKey(event) {
    const map = this.map;
    if (!map.view || event.target !== map.root) return;
    const centre = [map.width / 2, map.height / 2];
    const act = {
      ArrowLeft: () => map.panBy(60, 0), ArrowRight: () => map.panBy(-60, 0),
      ArrowUp: () => map.panBy(0, 60), ArrowDown: () => map.panBy(0, -60),
      "+": () => map.zoom(1.4, centre), "=": () => map.zoom(1.4, centre), "-": () => map.zoom(1 / 1.4, centre),
      0: () => map.fitView(), Escape: () => map.polygon && map.choose(null),
      Enter: () => map.look(centre),
    }[event.key];
    if (act) { event.preventDefault(); act(); }
  }
}
