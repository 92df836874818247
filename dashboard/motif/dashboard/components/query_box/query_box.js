// The query box: a text area with completion below it and errors marked in it. Needs complete.js before it.

const boxes = new WeakMap();
const MARK_MS = 120; // the list stays this long after losing focus, so that it receives the click

function node(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

class QueryBox {
  constructor(parent) {
    this.found = null;
    this.active = -1;
    this.marks = node("div", { class: "marks", "aria-hidden": "true" });
    this.input = node("textarea", { rows: "1", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
      "aria-label": "Query", "aria-autocomplete": "list", "aria-controls": "motif-query-list", "aria-describedby": "motif-query-mistake" });
    this.list = node("ul", { id: "motif-query-list", role: "listbox", "aria-label": "Completions", hidden: "" });
    this.heard = node("div", { class: "heard", role: "status" });
    this.mistake = node("div", { id: "motif-query-mistake", class: "mistake", hidden: "" });
    this.root = node("div", { class: "query" }, node("div", { class: "field" }, this.marks, this.input, this.list), this.mistake, this.heard);
    parent.append(this.root);
    this.listen();
  }

  listen() {
    this.input.addEventListener("input", () => { this.fit(); this.mark(null); this.offer(); });
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("click", () => this.offer());
    this.input.addEventListener("blur", () => { setTimeout(() => this.close(), MARK_MS); });
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("li");
      if (row) this.accept(Number(row.dataset.place));
    });
  }

  update(data, send) {
    this.send = send;
    const fresh = JSON.stringify([data.value, data.mistake]);
    this.data = data;
    this.input.placeholder = data.placeholder;
    if (fresh === this.fresh) return;
    this.fresh = fresh;
    this.input.value = data.value;
    this.close();
    this.fit();
    this.mark(data.mistake);
  }

  fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.max(this.input.scrollHeight, 20) + 2}px`;
  }

  /** Underline the wrong text and explain the error below the box. */
  mark(mistake) {
    const text = this.input.value;
    this.marks.replaceChildren();
    this.mistake.hidden = !mistake;
    this.input.toggleAttribute("aria-invalid", Boolean(mistake));
    if (!mistake) { this.mistake.replaceChildren(); return; }
    const { start, end, message, instead } = mistake;
    const wrong = text.slice(start, end) || "\u2007\u2007";
    this.marks.append(text.slice(0, start), node("mark", {}, wrong), text.slice(end));
    const ways = instead.map(({ part, query }) => {
      const button = node("button", { type: "button" }, `Use ${part}`);
      button.addEventListener("click", () => this.ask(query));
      return button;
    });
    const alert = node("p", { role: "alert" }, `${message} Nothing is filtered by it.`);
    this.mistake.replaceChildren(alert, node("div", { class: "ways" }, ...ways));
  }

  offer() {
    this.found = completions(this.input.value, this.input.selectionStart, this.data.words);
    this.active = -1;
    const rows = this.found.options.map((option, place) => node("li",
      { id: `motif-query-${place}`, role: "option", "aria-selected": "false", "data-place": String(place), "data-kind": option.kind },
      node("b", {}, option.text), node("span", {}, option.about)));
    this.list.replaceChildren(...rows);
    this.list.hidden = rows.length === 0;
    this.heard.textContent = rows.length ? `${rows.length} to choose from` : "";
    this.list.scrollTop = 0;
    this.point();
  }

  close() {
    this.list.hidden = true;
    this.active = -1;
    this.point();
  }

  get open() { return !this.list.hidden; }

  point() {
    [...this.list.children].forEach((row, place) => row.setAttribute("aria-selected", String(place === this.active)));
    if (this.active < 0) { this.input.removeAttribute("aria-activedescendant"); return; }
    this.input.setAttribute("aria-activedescendant", `motif-query-${this.active}`);
    this.list.children[this.active].scrollIntoView({ block: "nearest" });
  }

  step(by) {
    if (!this.open) { this.offer(); if (!this.open) return; }
    const count = this.list.children.length;
    this.active = this.active < 0 ? (by > 0 ? 0 : count - 1) : (this.active + by + count) % count;
    this.point();
  }

  accept(place) {
    const { text, caret } = completed(this.input.value, this.found, this.found.options[place]);
    this.input.value = text;
    this.input.focus();
    this.input.setSelectionRange(caret, caret);
    this.fit();
    this.mark(null);
    this.offer();
  }

  ask(text) {
    this.close();
    this.input.value = text.trim();
    this.fit();
    this.send("asked", { query: this.input.value });
  }

  onKey(event) {
    const taken = {
      ArrowDown: () => { this.step(1); return true; },
      ArrowUp: () => { this.step(-1); return true; },
      Enter: () => {
        if (this.open && this.active >= 0) this.accept(this.active);
        else this.ask(this.input.value);
        return true;
      },
      // Without a partial word Tab moves to the next element of the page, as usual.
      Tab: () => {
        const begun = this.open && !event.shiftKey && (this.active >= 0 || this.found.partial);
        if (begun) this.accept(Math.max(0, this.active));
        return begun;
      },
      Escape: () => {
        if (this.open) { this.close(); return true; }
        if (this.input.value === this.data.value) return false;
        this.input.value = this.data.value;
        this.fit();
        this.mark(this.data.mistake);
        return true;
      },
    }[event.key];
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || !taken) return;
    if (taken()) event.preventDefault();
  }
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  if (!boxes.has(parentElement)) boxes.set(parentElement, new QueryBox(parentElement));
  boxes.get(parentElement).update(data, setTriggerValue);
}
