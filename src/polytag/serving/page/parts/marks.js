// Tagged text as elements: the same markup as polytag.tagger.marks in Python, which a test compares.

const KEPT = /([\n\t])/;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;
const CONTROLS = new RegExp(`(${CONTROL.source})`, "u");
const SPECIAL = new RegExp(`${KEPT.source}|${CONTROL.source}`, "u");
const OUTSIDE = "O";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Python counts characters, JavaScript halves of them: offsets are positions in this array.
export const characters = (text) => Array.from(text);

// Control characters are written as in Python: \x1b, \u202e.
export function visible(text) {
  return Array.from(text, (character) => (CONTROL.test(character) ? escaped(character) : character)).join("");
}

function escaped(character) {
  const named = { "\n": "\\n", "\t": "\\t", "\r": "\\r" }[character];
  const hex = character.codePointAt(0).toString(16);
  return named ?? (hex.length > 2 ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`);
}

// Half up, as in Python.
export function percent(score) {
  const tenths = Math.floor(score * 1000 + 0.5);
  return `${Math.floor(tenths / 10)}.${tenths % 10}%`;
}

const scored = (label, score) => `${visible(label)} ${percent(score)}`;

function shown(text) {
  if (!SPECIAL.test(text)) return text ? [text] : [];
  const parts = [];
  for (const part of text.split(KEPT)) {
    if (KEPT.test(part)) parts.push(part);
    else
      for (const piece of part.split(CONTROLS))
        if (CONTROL.test(piece)) parts.push(element("bdi", { class: "polytag-control" }, escaped(piece)));
        else if (piece) parts.push(piece);
  }
  return parts;
}

// What remains of a result for some tasks and a least score; words of spans that are dropped count as outside.
export function filtered(tagged, tasks, least) {
  const tags = Object.fromEntries(tasks.map((task) => [task, [...tagged.tags[task]]]));
  const ours = tagged.spans.filter((span) => span.task in tags);
  const next = Object.fromEntries(tasks.map((task) => [task, 0]));
  for (const { task, start, end } of ours.filter((span) => span.score < least)) {
    // Spans are in order, so that each search begins where the last one ended.
    let word = next[task];
    while (tagged.offsets[word][0] < start) word += 1;
    for (; word < tagged.offsets.length && tagged.offsets[word][1] <= end; word++) tags[task][word] = OUTSIDE;
    next[task] = word;
  }
  return { ...tagged, tags, spans: ours.filter((span) => span.score >= least) };
}

// A row for each task. `numbers` has the colour of each label of each task.
export function marks(tagged, numbers) {
  const tasks = Object.keys(tagged.tags);
  const text = characters(tagged.text);
  const rows = tasks.map((task) => {
    const spans = tagged.spans.filter((span) => span.task === task);
    const paired = !spans.length && tagged.tags[task].some((tag) => tag !== OUTSIDE);
    const row = { text, tagged, task, colour: numbers[task] ?? {}, best: tagged.alternatives?.[task] };
    const kind = paired ? "polytag-text polytag-pairs" : "polytag-text";
    const content = element("div", { class: kind }, ...(paired ? pairs(row) : marked(row, spans)));
    content.dir = "auto"; // last: with it, browsers look for the direction again with every child
    const name = tasks.length > 1 ? [element("span", { class: "polytag-task" }, ...shown(task))] : [];
    const made = element("div", { class: "polytag-row" }, ...name, content);
    made.normalize();
    return made;
  });
  return element("div", { class: "polytag" }, ...rows);
}

const slice = (row, start, end) => shown(row.text.slice(start, end).join(""));
const named = (name, label) => element("span", { class: name }, " ", element("bdi", {}, ...shown(label)));
const best = (row, word) => row.best[word].map(([label, score]) => scored(label, score)).join(", ");

function pairs(row) {
  const { tagged, task } = row;
  const parts = [];
  let position = 0;
  tagged.offsets.forEach(([start, end], word) => {
    const tag = tagged.tags[task][word];
    const title = row.best?.length ? best(row, word) : scored(tag, tagged.scores[task][word]);
    const over = element("span", { class: "polytag-word" }, ...slice(row, start, end));
    const under = named(`polytag-tag polytag-${row.colour[tag] ?? 0}`, tag);
    parts.push(...slice(row, position, start), element("span", { class: "polytag-pair", title }, over, under));
    position = end;
  });
  return [...parts, ...slice(row, position, row.text.length)];
}

function marked(row, spans) {
  const parts = [];
  const state = { word: 0 };
  let position = 0;
  for (const span of spans) {
    parts.push(...words(row, position, span.start, state));
    const about = { class: `polytag-mark polytag-${row.colour[span.label] ?? 0}`, title: scored(span.label, span.score) };
    parts.push(element("mark", about, ...words(row, span.start, span.end, state), named("polytag-label", span.label)));
    position = span.end;
  }
  return [...parts, ...words(row, position, row.text.length, state)];
}

function words(row, start, end, state) {
  const parts = [];
  const { offsets } = row.tagged;
  for (; row.best?.length && state.word < offsets.length && offsets[state.word][1] <= end; state.word++) {
    const [begin, stop] = offsets[state.word];
    const title = best(row, state.word);
    parts.push(...slice(row, start, begin));
    parts.push(element("span", { class: "polytag-word", title }, ...slice(row, begin, stop)));
    start = stop;
  }
  return [...parts, ...slice(row, start, end)];
}
