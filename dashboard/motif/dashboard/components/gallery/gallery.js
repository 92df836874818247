// A gallery of thumbnails; each is a button, so Tab and Enter work.

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let wall = parentElement.querySelector(".wall");
  if (!wall) {
    wall = document.createElement("div");
    wall.className = "wall";
    wall.setAttribute("role", "list");
    parentElement.append(wall);
  }
  wall.style.setProperty("--tile", `${data.tile}px`);
  wall.replaceChildren(...data.items.map((item) => tile(item, data, setTriggerValue)));
}

function tile(item, data, send) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = item.id === data.current ? "tile current" : "tile";
  button.title = [item.title, ...item.lines].join("\n");
  const image = document.createElement("img");
  Object.assign(image, { src: item.image, alt: "", loading: "lazy", decoding: "async", width: 128, height: 128 });
  const title = document.createElement("b");
  title.textContent = item.title;
  button.append(image, title);
  for (const line of item.lines) {
    const span = document.createElement("span");
    span.textContent = line;
    button.append(span);
  }
  if (item.badge) {
    const badge = document.createElement("em");
    badge.textContent = item.badge;
    button.append(badge);
  }
  button.addEventListener("click", () => send("picked", item.id));
  const cell = document.createElement("div");
  cell.setAttribute("role", "listitem");
  cell.append(button);
  return cell;
}
