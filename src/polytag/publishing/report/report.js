"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const STEP = 20;

  function element(name, attributes = {}, ...content) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...content);
    return made;
  }

  /* Marks: the same elements as polytag/tagger/marks.py makes. */
  function marked(task, words, spans, wrong) {
    const parts = [];
    let position = 0;
    for (const [start, end, label] of spans) {
      if (start > position) parts.push(words.slice(position, start).join(" ") + " ");
      const off = wrong.has(start + " " + end) ? " off" : "";
      parts.push(
        element("mark", { class: "polytag-mark polytag-" + task.colours[label] + off },
          words.slice(start, end).join(" "),
          element("span", { class: "polytag-label" }, " ", element("bdi", {}, task.labels[label]))),
        end < words.length ? " " : "");
      position = end;
    }
    parts.push(words.slice(position).join(" "));
    return parts;
  }

  function paired(task, words, tags, wrong) {
    return words.flatMap((word, index) => [
      element("span", { class: "polytag-pair" + (wrong.has(index + " " + (index + 1)) ? " off" : "") },
        element("span", { class: "polytag-word" }, word),
        element("span", { class: "polytag-tag polytag-" + task.colours[tags[index]] },
          " ", element("bdi", {}, task.labels[tags[index]]))),
      index + 1 < words.length ? " " : ""]);
  }

  function row(task, name, words, marks, wrong) {
    const content = (task.spans ? marked : paired)(task, words, marks, wrong);
    return element("div", { class: "polytag-row" },
      element("span", { class: "polytag-task" }, name),
      element("div", { class: task.spans ? "polytag-text" : "polytag-text polytag-pairs", dir: "auto" }, ...content));
  }

  function differing(task, gold, found) {
    const keys = (marks) => task.spans ? marks.map(String) : marks.map((tag, index) => index + "," + tag);
    const right = new Set(keys(gold));
    return new Set(keys(found).filter((key) => !right.has(key)).map((key) => {
      const [start, end] = key.split(",");
      return task.spans ? start + " " + end : start + " " + (Number(start) + 1);
    }));
  }

  function article(task, sentence, note, rows, items) {
    const shown = rows.map(([name, marks, gold]) => row(task, name, sentence.w, marks, differing(task, gold, marks)));
    return element("article", { class: "sentence" },
      element("div", { class: "place" }, element("bdi", {}, sentence.at), element("span", {}, note)),
      element("div", { class: "polytag" }, ...shown),
      ...(items.length ? [element("ul", {}, ...items)] : []));
  }

  function words(sentence, span) {
    return element("bdi", {}, sentence.w.slice(span[0], span[1]).join(" "));
  }

  function described(task, sentence, [kind, gold, predicted, right, found]) {
    const item = element("li", {}, element("b", {}, task.kinds[kind]), " ");
    if (right) item.append(words(sentence, right), " ", task.labels[gold]);
    if (right && found) item.append(" → ");
    if (found && !(right && String(right) === String(found))) item.append(words(sentence, found), " ");
    if (found) item.append(task.labels[predicted]);
    return item;
  }

  function listing(list, more, make) {
    let items = [], shown = 0;
    function extend() {
      list.append(...items.slice(shown, shown + STEP).map(make));
      shown = Math.min(shown + STEP, items.length);
      more.hidden = shown === items.length;
    }
    more.addEventListener("click", () => {
      const first = shown;
      extend();
      list.children[first].tabIndex = -1;
      list.children[first].focus();
    });
    return (found) => {
      items = found;
      shown = 0;
      list.replaceChildren();
      extend();
    };
  }

  function options(select, names) {
    select.replaceChildren(element("option", { value: "" }, "all"),
      ...names.map((name) => element("option", { value: name }, name)));
  }

  function plural(count, one, many) {
    return count.toLocaleString("en") + " " + (count === 1 ? one : many);
  }

  function matcher(text) {
    const wanted = text.trim().toLowerCase();
    return (entry) => !wanted || data.sentences[entry.s].w.join(" ").toLowerCase().includes(wanted);
  }

  function explorer() {
    const form = document.getElementById("filters"), fields = form.elements;
    const found = document.getElementById("found");
    const show = listing(document.getElementById("list"), document.getElementById("more"), ([entry, chosen]) => {
      const task = data.tasks[entry.t], sentence = data.sentences[entry.s];
      const note = data.tasks.length > 1 ? task.name : "";
      return article(task, sentence, note, [["gold", entry.gold, entry.predicted], ["predicted", entry.predicted, entry.gold]],
        chosen.map((mistake) => described(task, sentence, mistake)));
    });

    function choices() {
      const tasks = data.tasks.filter((task) => !fields.task.value || task.name === fields.task.value);
      const every = (key) => [...new Set(tasks.flatMap((task) => task[key]))].sort();
      options(fields.kind, every("kinds"));
      options(fields.gold, every("labels"));
      options(fields.predicted, every("labels"));
      const dimensions = new Map();
      for (const [dimension, name] of tasks.flatMap((task) => task.buckets)) {
        if (!dimensions.has(dimension)) dimensions.set(dimension, new Set());
        dimensions.get(dimension).add(name);
      }
      fields.bucket.replaceChildren(element("option", { value: "" }, "all"),
        ...[...dimensions].map(([dimension, names]) => element("optgroup", { label: dimension },
          ...[...names].map((name) => element("option", { value: JSON.stringify([dimension, name]) }, name)))));
    }

    function filter() {
      const inText = matcher(fields.text.value);
      const kept = [];
      let count = 0;
      for (const entry of data.mistakes) {
        const task = data.tasks[entry.t];
        if ((fields.task.value && task.name !== fields.task.value) || !inText(entry)) continue;
        const chosen = entry.m.filter(([kind, gold, predicted, , , buckets]) =>
          (!fields.kind.value || task.kinds[kind] === fields.kind.value) &&
          (!fields.gold.value || task.labels[gold] === fields.gold.value) &&
          (!fields.predicted.value || task.labels[predicted] === fields.predicted.value) &&
          (!fields.bucket.value || buckets.some((bucket) => JSON.stringify(task.buckets[bucket]) === fields.bucket.value)));
        if (chosen.length) kept.push([entry, chosen]);
        count += chosen.length;
      }
      found.value = plural(count, "mistake", "mistakes") + " in " + plural(kept.length, "sentence", "sentences") + ".";
      show(kept);
    }

    options(fields.task, data.tasks.map((task) => task.name));
    choices();
    fields.task.addEventListener("input", choices); // before the form, which filters
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => { choices(); filter(); }));
    filter();
    for (const button of document.querySelectorAll(".matrix button")) {
      const { task, gold, predicted } = button.dataset;
      button.addEventListener("click", () => {
        fields.text.value = "";
        fields.task.value = data.tasks.length > 1 ? data.tasks[task].name : "";
        choices();
        fields.gold.value = gold;
        fields.predicted.value = predicted;
        filter();
        document.getElementById("mistakes").scrollIntoView();
        fields.gold.focus({ preventScroll: true });
      });
    }
  }

  function outcomes() {
    const form = document.getElementById("outcome-filters");
    if (!form) return;
    const fields = form.elements, found = document.getElementById("outcome-found");
    const list = document.getElementById("outcome-list");
    const show = listing(list, document.getElementById("outcome-more"), (entry) => {
      const task = data.tasks[entry.t];
      const note = (data.tasks.length > 1 ? task.name + ", " : "") +
        "words wrong: " + entry.w[1] + " here, " + entry.w[0] + " by the other";
      return article(task, data.sentences[entry.s], note,
        [["gold", entry.gold, entry.gold], ["this tagger", entry.b, entry.gold], ["the other", entry.a, entry.gold]], []);
    });

    function filter() {
      const inText = matcher(fields.text.value);
      const kept = data.outcomes.filter((entry) =>
        (!fields.task.value || data.tasks[entry.t].name === fields.task.value) && inText(entry) &&
        (!fields.outcome.value || (fields.outcome.value === "win") === entry.w[1] < entry.w[0]));
      const wins = kept.filter((entry) => entry.w[1] < entry.w[0]).length;
      found.value = plural(wins, "win", "wins") + ", " + plural(kept.length - wins, "loss", "losses") + ".";
      show(kept);
    }

    options(fields.task, data.tasks.map((task) => task.name));
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    filter();
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    heads.forEach((head, column) => {
      if ("fixed" in head.dataset) return;
      const button = element("button", { type: "button", class: "sort" }, ...head.childNodes);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const rises = head.getAttribute("aria-sort") === "descending" || (column === 0 && !head.hasAttribute("aria-sort"));
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", rises ? "ascending" : "descending");
        const key = (line) => {
          const cell = line.cells[column];
          return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
        };
        const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
        body.append(...[...body.rows].sort((a, b) => (rises ? 1 : -1) * order(key(a), key(b))));
      });
    });
  }

  document.querySelectorAll("table.sortable").forEach(sortable);
  explorer();
  outcomes();
})();
