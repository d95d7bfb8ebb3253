// The last texts, kept in this browser. Browsers can refuse to keep anything.

const KEY = "polytag.history";
const MOST = 20;

export function history() {
  try {
    const texts = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(texts) ? texts.filter((text) => typeof text === "string") : [];
  } catch {
    return [];
  }
}

export function remember(text) {
  if (!text.trim()) return;
  try {
    localStorage.setItem(KEY, JSON.stringify([text, ...history().filter((one) => one !== text)].slice(0, MOST)));
  } catch {
    // A full or forbidden store: the page works without history.
  }
}

export function clearHistory() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing is kept.
  }
}
