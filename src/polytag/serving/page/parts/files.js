// A whole file of texts: sent in parts that the server accepts, its result offered as a file.

import { Problem, tag } from "./server.js";

const MOST_TEXTS = 200;
const MARGIN = 2048; // bytes of a request beside its texts
const ATTEMPTS = 20;

const encoder = new TextEncoder();
const size = (value) => encoder.encode(JSON.stringify(value)).length + 1;
const pause = (seconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });

async function* linesOf(file, seen) {
  const reader = file.stream().pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
  let rest = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch {
      throw new Problem(0, "The file is not UTF-8.");
    }
    if (part.done) break;
    seen(encoder.encode(part.value).length);
    const lines = (rest + part.value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  if (rest) yield rest;
}

// A row of the file: {text} or {words, document}.
function row(line, number, isJson) {
  if (!isJson) return { text: line };
  let value = null;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Problem(0, `Line ${number} is not JSON.`);
  }
  if (typeof value?.text === "string") return { text: value.text };
  if (Array.isArray(value?.tokens) && value.tokens.every((word) => typeof word === "string")) {
    if (value.document === undefined || Number.isInteger(value.document))
      return { words: value.tokens, document: value.document };
  }
  throw new Problem(0, `Line ${number} has no "text", and no "tokens" (a list of words, with an integer "document" or none).`);
}

// Rows that one request holds: of one kind, within the limits; only a document that fills a request is divided.
async function* requests(file, isJson, limits, seen) {
  const most = Math.min(limits.texts ?? MOST_TEXTS, MOST_TEXTS);
  const bytes = (limits.body_bytes ?? 1 << 20) - MARGIN;
  const kind = (one) => `${"text" in one} ${one.document === undefined}`;
  let [held, number] = [[], 0];
  const total = (rows) => rows.reduce((sum, { cost }) => sum + cost, 0);
  for await (const line of linesOf(file, seen)) {
    number += 1;
    if (isJson && !line.trim()) continue;
    const next = row(line, number, isJson);
    next.cost = size(next.text ?? next.words) + 12;
    if (next.cost > bytes) throw new Problem(0, `Line ${number} is longer than the server accepts in one request.`);
    const full = held.length >= most || total(held) + next.cost > bytes;
    if (held.length && (full || kind(held[0]) !== kind(next))) {
      let cut = held.length;
      if (full && next.document !== undefined && kind(held[0]) === kind(next))
        while (cut && held[cut - 1].document === next.document) cut -= 1;
      cut ||= held.length;
      yield held.slice(0, cut);
      held = held.slice(cut);
    }
    held.push(next);
  }
  if (held.length) yield held;
}

function bodyOf(rows, options) {
  if ("text" in rows[0]) return { ...options, texts: rows.map(({ text }) => text) };
  const documents = rows[0].document === undefined ? {} : { documents: rows.map(({ document }) => document) };
  return { ...options, words: rows.map(({ words }) => words), ...documents };
}

// A server that is busy says when to come back.
async function tagged(body, signal) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await (await tag(body, { signal, lines: true })).text();
    } catch (error) {
      if (error.status !== 503 || attempt === ATTEMPTS) throw error;
      await pause(error.wait, signal);
    }
  }
}

/* Tag all lines of a file. `report(done, bytes)` is told the number of lines and bytes; the result is a Blob of
   JSON Lines, as `polytag predict` writes them. */
export async function tagFile(file, { limits, options, signal, report }) {
  const parts = [];
  let [done, bytes] = [0, 0];
  for await (const rows of requests(file, /\.(jsonl|ndjson)$/i.test(file.name), limits, (more) => (bytes += more))) {
    parts.push(await tagged(bodyOf(rows, options), signal));
    done += rows.length;
    report(done, bytes);
  }
  return { lines: done, blob: new Blob(parts, { type: "application/jsonl" }) };
}
