// Writes the moment of the view into the address, so that a copied link shows the same later.

export default function ({ data }) {
  const here = new URL(location.href);
  if (here.searchParams.has("at")) return;
  here.searchParams.set("at", data.at);
  history.replaceState(history.state, "", here);
}
