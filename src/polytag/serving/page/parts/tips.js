// What is known about a word: shown while the pointer or the focus is on it.

import { element, percent, visible } from "./marks.js";

const tip = document.getElementById("tip");
let current = null;

export function hideTip() {
  current?.removeAttribute("aria-describedby");
  current = null;
  tip.hidden = true;
}

function showTip(target, content) {
  hideTip();
  current = target;
  tip.replaceChildren(...content);
  tip.hidden = false;
  target.setAttribute("aria-describedby", "tip");
  const word = target.getClientRects()[0] ?? target.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, word.left), document.documentElement.clientWidth - own.width - 8);
  const below = word.bottom + 8 + own.height < innerHeight || word.top < own.height + 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? word.bottom + 6 : word.top - own.height - 6}px`;
}

function content(tagged, task, word, span) {
  const rows = (tagged.alternatives?.[task]?.[word] ?? []).map(([label, score]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, visible(label)),
      element("td", {}, element("meter", { min: 0, max: 1, value: score, "aria-hidden": "true" })),
      element("td", { class: "number" }, percent(score)),
    ),
  );
  const heading = element("strong", {}, element("bdi", {}, visible(tagged.words[word])));
  const whole = span ? [element("p", {}, `${visible(span.label)}: whole span ${percent(span.score)}`)] : [];
  return [heading, ...whole, element("table", {}, element("tbody", {}, ...rows))];
}

// Words are one stop of the Tab key per task; arrow keys move between them.
export function explain(block, tagged) {
  hideTip();
  const tasks = Object.keys(tagged.tags);
  const rows = [...block.querySelectorAll(".polytag-row")].map((row, index) => {
    const pairs = row.querySelectorAll(".polytag-pair");
    const words = [...(pairs.length ? pairs : row.querySelectorAll(".polytag-word"))];
    if (words.length) words[0].tabIndex = 0;
    row.querySelector(".polytag-text").setAttribute("role", "group");
    row.querySelector(".polytag-text").setAttribute("aria-label", `${tasks[index]}: arrow keys move between words`);
    return { row, words, task: tasks[index] };
  });
  const wordOf = ({ target }) => target.closest(".polytag-pair") ?? target.closest(".polytag-word");
  const rowOf = (target) => rows.find(({ row }) => row.contains(target));
  const show = (event) => {
    const target = wordOf(event);
    // The browser would show titles, too.
    for (let titled = event.target; titled !== block; titled = titled.parentElement) titled.removeAttribute("title");
    if (!target || target === current) return;
    const { words, task } = rowOf(target);
    const word = words.indexOf(target);
    const [start, end] = tagged.offsets[word];
    const span = tagged.spans.find((span) => span.task === task && span.start <= start && end <= span.end);
    showTip(target, content(tagged, task, word, span));
  };
  block.addEventListener("pointerover", show);
  block.addEventListener("focusin", show);
  block.addEventListener("pointerout", ({ relatedTarget }) => current?.contains(relatedTarget) || hideTip());
  block.addEventListener("focusout", hideTip);
  block.addEventListener("keydown", (event) => wordOf(event) && move(event, rowOf(event.target).words, wordOf(event)));
}

function move(event, words, from) {
  const place = words.indexOf(from);
  const forward = getComputedStyle(from).direction === "rtl" ? -1 : 1;
  const steps = { ArrowRight: place + forward, ArrowLeft: place - forward, Home: 0, End: words.length - 1 };
  const next = words[steps[event.key]];
  if (!next) return;
  event.preventDefault();
  from.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
addEventListener("scroll", hideTip, { passive: true, capture: true });
