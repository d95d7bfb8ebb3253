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
  block.querySelectorAll(".polytag-row").forEach((row, index) => {
    const task = tasks[index];
    const spans = tagged.spans.filter((span) => span.task === task);
    const words = [...row.querySelectorAll(".polytag-pair")];
    if (!words.length) words.push(...row.querySelectorAll(".polytag-word"));
    row.querySelectorAll("[title]").forEach((titled) => titled.removeAttribute("title"));
    row.querySelector(".polytag-text").setAttribute("role", "group");
    row.querySelector(".polytag-text").setAttribute("aria-label", `${task}: arrow keys move between words`);
    words.forEach((target, word) => {
      const [start, end] = tagged.offsets[word];
      const span = spans.find((span) => span.start <= start && end <= span.end);
      const show = () => showTip(target, content(tagged, task, word, span));
      target.tabIndex = word ? -1 : 0;
      target.addEventListener("pointerenter", show);
      target.addEventListener("focus", show);
      target.addEventListener("pointerleave", () => document.activeElement !== target && hideTip());
      target.addEventListener("blur", hideTip);
      target.addEventListener("keydown", (event) => move(event, words, word));
    });
  });
}

function move(event, words, word) {
  if (event.key === "Escape") hideTip();
  const forward = getComputedStyle(words[word]).direction === "rtl" ? -1 : 1;
  const next = {
    ArrowRight: word + forward,
    ArrowLeft: word - forward,
    Home: 0,
    End: words.length - 1,
  }[event.key];
  if (!words[next]) return;
  event.preventDefault();
  words[word].tabIndex = -1;
  words[next].tabIndex = 0;
  words[next].focus();
}

addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
addEventListener("scroll", hideTip, { passive: true, capture: true });
