// Completions in a query: facets, operators, values, units. This module does not touch the page.

const QUERY_TOKEN = /\s+|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|\d{4}-\d{2}(?:-\d{2}(?:[T ][\d:.]+(?:Z|[+-][\d:]+)?)?)?(?![\d.])|[+-]?(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:e[+-]?\d+)?|<=|>=|!=|<>|==|[=<>≤≥≠]|\.\.|[(),]|[^\s"'=<>!≤≥≠(),]+|./giu;
const NUMERIC = /^[+-]?[\d.]/;
const MOST_OFFERED = 40;
const COMPARISONS = {
  text: [["=", "is"], ["!=", "is another than"], ["in (", "is one of"], ["like", "% stands for anything"], ["not in (", "is none of"]],
  number: [["<=", "at most"], [">=", "at least"], ["between", "from … to …"], ["=", "is"], ["<", "less than"], [">", "more than"], ["!=", "is another than"]],
  date: [[">=", "from then on"], ["<", "before"], ["between", "from … to …"], ["=", "on that day or in that month"]],
  flag: [["=", "is"], ["!=", "is not"]],
};

/** Tokens of a text: {text, start, end}, spaces left out. */
function tokens(text) {
  return [...text.matchAll(QUERY_TOKEN)]
    .filter((m) => m[0].trim())
    .map((m) => ({ text: m[0], start: m.index, end: m.index + m[0].length }));
}

/** What the tokens before the caret expect next: {want, word, depth, list, left}. */
function expectation(before, words) {
  const named = (text) => words.find((word) => word.name === text || word.name === `"${text}"`);
  const state = { want: "name", word: null, depth: 0, list: false, left: 0 };
  const done = () => { state.left -= 1; state.want = state.left > 0 ? "to" : state.list ? "more" : "join"; };
  for (const { text } of before) {
    const low = text.toLowerCase();
    switch (state.want) {
      case "name":
      case "facet":
        if (low === "not" && state.want === "name") break;
        if (low === "(" && state.want === "name") { state.depth += 1; break; }
        if (low === "has" && state.want === "name") { state.want = "facet"; break; }
        if (low === "text" && state.want === "name") { state.want = "phrase"; break; }
        state.word = named(text) || { name: text, kind: "text", values: [], units: [] };
        state.want = state.want === "facet" ? "join" : "operator";
        break;
      case "operator":
        if (low === "not") break;
        state.left = low === "between" ? 2 : 1;
        state.want = low === "like" ? "phrase" : low === "in" ? "open" : "value";
        break;
      case "open":
        if (low === "(") { state.list = true; state.want = "value"; } else { state.left = 2; done(); }
        break;
      case "value":
        done();
        state.number = NUMERIC.test(text) && !text.includes("-", 1);
        break;
      case "to":
        if (low === "and" || low === "..") state.want = "value";
        break;
      case "more":
        if (text === ",") state.want = "value";
        else if (text === ")") { state.list = false; state.want = "join"; }
        break;
      case "phrase":
        state.want = "join";
        break;
      default:
        if (low === "and" || low === "or") { state.want = "name"; state.word = null; }
        else if (text === ")") state.depth = Math.max(0, state.depth - 1);
        else if (text === "..") { state.left = 1; state.want = "value"; }
    }
    if (state.want === "value" || state.want === "name") state.number = false;
  }
  return state;
}

function offers(state, words, written) {
  const names = () => words.map((word) => ({ text: word.name, about: word.about, kind: "facet" }));
  const unit = () => (state.number && state.word
    ? state.word.units.map((one) => ({ text: one, about: "unit", kind: "unit" })) : []);
  switch (state.want) {
    case "name":
      return [...names(), { text: "not", about: "the opposite", kind: "word" }, { text: "has", about: "tells this facet at all", kind: "word" },
        { text: 'text "', about: "words of title, facets or header", kind: "word" }, { text: "(", about: "group", kind: "word" }];
    case "facet":
      return names();
    case "operator":
      return COMPARISONS[state.word.kind].map(([text, about]) => ({ text, about, kind: "word" }));
    case "open":
      return [{ text: "(", about: "one of these", kind: "word" }];
    case "value":
      return state.word.values.map((text) => ({ text, about: "", kind: "value" }));
    case "to":
      return [...unit(), { text: "and", about: "the other end", kind: "word" }];
    case "more":
      return [...unit(), { text: ",", about: "one more", kind: "word" }, { text: ")", about: "no more", kind: "word" }];
    case "join":
      return written ? [...unit(), { text: "and", about: "both", kind: "word" }, { text: "or", about: "either", kind: "word" },
        ...(state.depth ? [{ text: ")", about: "end of the group", kind: "word" }] : [])] : [];
    default:
      return [];
  }
}

/** Completions at a caret: {start, end, partial, options}; an option replaces start..end. */
function completions(text, caret, words) {
  const all = tokens(text);
  const at = all.findIndex((token) => token.start < caret && caret <= token.end);
  const touching = at >= 0 ? all[at] : null;
  const before = all.filter((token) => token.end < caret || (token.end === caret && token !== touching));
  // A finished sign such as "<=" or ")" is not completed; what follows it is.
  const whole = touching && caret === touching.end && /^(?:[<>=!≤≥≠]+|[(),]|\.\.)$/.test(touching.text);
  if (whole) before.push(touching);
  const partial = touching && !whole ? text.slice(touching.start, caret) : "";
  const start = partial ? touching.start : caret;
  const end = partial ? touching.end : caret;
  const state = expectation(before, words);
  const bare = (one) => one.toLowerCase().replace(/^["']/, "");
  const wanted = bare(partial);
  const fitting = offers(state, words, before.length > 0)
    .map((option) => ({ option, place: bare(option.text).indexOf(wanted) }))
    .filter(({ option, place }) => place >= 0 && !(partial && option.text === text.slice(start, end)));
  fitting.sort((a, b) => Number(a.place > 0) - Number(b.place > 0));
  return { start, end, partial, options: fitting.slice(0, MOST_OFFERED).map(({ option }) => option) };
}

/** The text with an option put in, and the caret after it. */
function completed(text, found, option) {
  const head = text.slice(0, found.start), tail = text.slice(found.end).replace(/^\s+/, "");
  const gap = head && !/[\s(]$/.test(head) && !/^[,)]/.test(option.text) ? " " : "";
  const after = /[("]$/.test(option.text) && option.kind === "word" ? "" : " ";
  const created = head + gap + option.text + after;
  return { text: created + tail, caret: created.length };
}
