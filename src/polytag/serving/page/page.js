// The page of `polytag serve`: tags what is typed and shows what was found.

import { curl, python } from "./parts/code.js";
import { tagFile } from "./parts/files.js";
import { clearHistory, history, remember } from "./parts/history.js";
import { element, filtered, marks, percent, visible } from "./parts/marks.js";
import { address, info, tag } from "./parts/server.js";
import { explain } from "./parts/tips.js";

const PAUSE = 300; // milliseconds without typing before a text is sent
const RUNNERS_UP = 3;
const MOST_ROWS = 500;
const FALLBACK = ["Marie Curie was born in Warsaw and worked in Paris.", "The quick brown fox jumps over the lazy dog."];

const at = (id) => document.getElementById(id);
const state = { facts: null, model: null, tasks: new Set(), result: null, asked: null };

const least = () => Number(at("least").value);
const chosen = () => state.model.tasks.filter(({ name }) => state.tasks.has(name)).map(({ name }) => name);

// What the page asks for, as a user would write it.
function options() {
  const names = chosen();
  return {
    ...(state.facts.models.length > 1 ? { model: state.model.name } : {}),
    ...(names.length && names.length < state.model.tasks.length ? { tasks: names } : {}),
    ...(least() > 0 ? { min_score: least() } : {}),
  };
}

function complain(error) {
  at("problem").hidden = !error;
  at("problem").textContent = error?.message ?? "";
}

// Only the last text matters: an answer that is not awaited any more is given up.
async function tagText() {
  clearTimeout(state.timer);
  state.asked?.abort();
  const asked = (state.asked = new AbortController());
  const text = at("text").value.toWellFormed();
  const alternatives = Math.min(RUNNERS_UP, state.facts.limits.alternatives ?? RUNNERS_UP);
  const start = performance.now();
  try {
    const body = { texts: [text], model: state.model.name, alternatives };
    const { results } = await (await tag(body, { signal: asked.signal })).json();
    if (asked.signal.aborted) return;
    state.result = results[0];
    state.took = performance.now() - start;
    complain(null);
    at("json-text").textContent = JSON.stringify(state.result, null, 2);
    show();
  } catch (error) {
    if (error.name !== "AbortError") complain(error);
  }
}

function tagSoon() {
  clearTimeout(state.timer);
  state.timer = setTimeout(tagText, PAUSE);
}

function use(text) {
  at("text").value = text;
  remember(text);
  showHistory();
  return tagText();
}

// Everything on the page that follows from the answer, the tasks and the least score.
function show() {
  if (!state.result) return;
  const seen = filtered(state.result, chosen(), least());
  const numbers = Object.fromEntries(state.model.tasks.map(({ name, colours }) => [name, colours]));
  const block = marks(seen, numbers);
  explain(block, seen);
  at("marks").replaceChildren(block);
  showTable(seen);
  showCode();
  const [words, spans] = [seen.words.length, seen.spans.length];
  const spanTasks = state.model.tasks.some(({ name, spans }) => spans && state.tasks.has(name));
  const found = spanTasks ? `${count(spans, "span")} in ${count(words, "word")}` : count(words, "word");
  at("status").textContent = `${found}, answered in ${Math.round(state.took)} ms.`;
}

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// Spans; the words of tasks that have no spans, where only these are chosen.
function showTable(seen) {
  const spans = state.model.tasks.some(({ name, spans }) => spans && state.tasks.has(name));
  const rows = spans
    ? seen.spans
    : chosen().flatMap((task) =>
        seen.words.map((text, word) => {
          const [start, end] = seen.offsets[word];
          return { text, task, label: seen.tags[task][word], score: seen.scores[task][word], start, end };
        }),
      );
  const numbers = Object.fromEntries(state.model.tasks.map(({ name, colours }) => [name, colours]));
  at("rows").replaceChildren(
    ...rows.slice(0, MOST_ROWS).map(({ text, label, task, score, start, end }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, element("bdi", {}, visible(text))),
        element("td", {}, element("span", { class: `polytag-tag polytag-${numbers[task]?.[label] ?? 0}` }, visible(label))),
        element("td", {}, visible(task)),
        ...[percent(score), start, end].map((value) => element("td", { class: "number" }, String(value))),
      ),
    ),
  );
  at("no-rows").hidden = rows.length > 0 && rows.length <= MOST_ROWS;
  at("no-rows").textContent = rows.length ? `The first ${MOST_ROWS} of ${count(rows.length, "row")}.` : "Nothing found.";
}

function showCode() {
  const body = { texts: at("text").value.toWellFormed(), ...options() };
  at("curl-text").textContent = curl(address("v1/tag"), body, state.facts.token);
  at("python-text").textContent = python(address("v1/tag"), body, state.facts.token);
}

function showModel() {
  const { name, runtime, tasks } = state.model;
  at("facts").textContent = [state.facts.models.length > 1 ? "" : name, runtime].filter(Boolean).join(" · ");
  state.tasks = new Set(tasks.map((task) => task.name));
  at("tasks").replaceChildren(
    at("tasks").querySelector("legend"),
    ...tasks.map((task) => {
      const box = element("input", { type: "checkbox", checked: "", value: task.name });
      box.addEventListener("change", () => {
        state.tasks[box.checked ? "add" : "delete"](task.name);
        show();
      });
      return element("label", { class: "chip", title: task.summary ?? "" }, box, visible(task.name));
    }),
  );
  at("tasks").hidden = tasks.length < 2;
  at("least-choice").hidden = !tasks.some(({ spans }) => spans);
  const examples = [...new Set(tasks.flatMap((task) => task.examples ?? []))];
  at("examples").replaceChildren(
    ...(examples.length ? examples : FALLBACK).slice(0, 6).map((text) => {
      const button = element("button", { type: "button", class: "chip", dir: "auto" }, text);
      button.addEventListener("click", () => use(text));
      return button;
    }),
  );
}

function showHistory() {
  const texts = history();
  at("history").hidden = !texts.length;
  at("history-list").replaceChildren(
    ...texts.map((text) => {
      const button = element("button", { type: "button", dir: "auto" }, text.length > 200 ? `${text.slice(0, 200)}…` : text);
      button.addEventListener("click", () => use(text));
      return element("li", {}, button);
    }),
  );
}

// Browsers give the clipboard only to pages from this computer or over https.
async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = element("textarea", { readonly: "", class: "unseen" });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const label = (button.dataset.label ??= button.textContent);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 1500);
}

// The part of an address after # is not sent to any server.
function textOfAddress() {
  return new URLSearchParams(location.hash.slice(1)).get("text");
}

async function startFile(file) {
  const controller = new AbortController();
  const panel = at("file-progress");
  const [bar, result] = [at("file-bar"), at("file-result")];
  panel.hidden = false;
  at("file-name").textContent = file.name;
  at("file-status").textContent = "Uses the tasks and the minimum score chosen below.";
  [at("file-cancel").hidden, result.hidden, at("file-close").hidden, bar.value] = [false, true, true, 0];
  at("file-cancel").onclick = () => controller.abort();
  URL.revokeObjectURL(result.href);
  try {
    const report = (done, bytes) => {
      bar.value = file.size ? bytes / file.size : 1;
      at("file-status").textContent = `${count(done, "line")} tagged`;
    };
    const settings = { limits: state.facts.limits, options: { model: state.model.name, ...options() } };
    const { lines, blob } = await tagFile(file, { ...settings, signal: controller.signal, report });
    result.href = URL.createObjectURL(blob);
    result.download = `${file.name.replace(/\.[^.]*$/, "")}.tagged.jsonl`;
    result.textContent = `Download ${result.download}`;
    result.hidden = false;
    bar.value = 1;
    at("file-status").textContent = `${count(lines, "line")} tagged. The result is ready.`;
  } catch (error) {
    at("file-status").textContent = error.name === "AbortError" ? "Cancelled." : error.message;
  }
  [at("file-cancel").hidden, at("file-close").hidden] = [true, false];
}

function connect() {
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    use(at("text").value);
  });
  at("text").addEventListener("input", tagSoon);
  at("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
  });
  at("least").addEventListener("input", () => {
    at("least-value").value = least().toFixed(2);
    cancelAnimationFrame(state.frame);
    state.frame = requestAnimationFrame(show); // a long text takes longer than a slider moves
  });
  at("model").addEventListener("change", () => {
    state.model = state.facts.models.find(({ name }) => name === at("model").value);
    showModel();
    tagText();
  });
  at("copy-link").addEventListener("click", () => {
    const link = `${address("")}#${new URLSearchParams({ text: at("text").value.toWellFormed() })}`;
    window.history.replaceState(null, "", link);
    copy(link, at("copy-link"));
  });
  document.querySelectorAll("[data-copies]").forEach((button) => {
    button.addEventListener("click", () => copy(at(button.dataset.copies).textContent, button));
  });
  at("history-clear").addEventListener("click", () => {
    clearHistory();
    showHistory();
    at("text").focus();
  });
  addEventListener("hashchange", () => textOfAddress() !== null && use(textOfAddress()));
}

function connectFiles() {
  const take = (event, files) => {
    if (!files?.length) return;
    event.preventDefault();
    startFile(files[0]);
  };
  at("file").addEventListener("change", (event) => {
    take(event, at("file").files);
    at("file").value = "";
  });
  at("file-close").addEventListener("click", () => {
    at("file-progress").hidden = true;
    at("text").focus();
  });
  addEventListener("paste", (event) => take(event, event.clipboardData?.files));
  addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  addEventListener("drop", (event) => take(event, event.dataTransfer?.files));
}

function connectTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const open = (tab) => {
    for (const one of tabs) {
      one.setAttribute("aria-selected", one === tab);
      one.tabIndex = one === tab ? 0 : -1;
      at(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => open(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      open(next);
      next.focus();
    });
  });
}

async function start() {
  connect();
  connectTabs();
  showHistory();
  try {
    state.facts = await info();
  } catch (error) {
    complain(error);
    return;
  }
  const { models } = state.facts;
  state.model = models[0];
  at("model").append(...models.map(({ name }) => element("option", {}, name)));
  at("model-choice").hidden = models.length < 2;
  at("docs").hidden = state.facts.token; // a link carries no token
  showModel();
  connectFiles();
  // A browser that loads a page again keeps what was typed.
  at("text").value = textOfAddress() ?? (at("text").value || at("examples").firstChild.textContent);
  await tagText();
}

start();
