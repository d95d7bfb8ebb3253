// Requests to the server that the page came from, and its token, which stays in memory.

const dialog = document.getElementById("token-dialog");
let token = null;
let asked = null;

export class Problem extends Error {
  constructor(status, detail, wait) {
    super(detail);
    this.status = status;
    this.wait = wait;
  }
}

export const address = (path) => new URL(path, document.baseURI).href.split("#")[0];

// Ask once, however many requests are refused at the same time.
function askForToken(why) {
  document.getElementById("token-why").textContent = why;
  asked ??= new Promise((resolve) => {
    const form = document.getElementById("token-form");
    const field = document.getElementById("token");
    form.onsubmit = (event) => {
      event.preventDefault();
      token = field.value.trim();
      field.value = "";
      asked = null;
      dialog.close();
      resolve();
    };
    dialog.oncancel = (event) => event.preventDefault(); // nothing works without a token
    dialog.showModal();
  });
  return asked;
}

async function request(path, options = {}) {
  for (;;) {
    const sent = token;
    const headers = { ...options.headers, ...(sent === null ? {} : { Authorization: `Bearer ${sent}` }) };
    let answer;
    try {
      answer = await fetch(address(path), { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (error instanceof TypeError && /header|ByteString|ISO-8859-1/i.test(error.message)) {
        await askForToken("A token has no such characters.");
        continue;
      }
      throw new Problem(0, "The server cannot be reached.");
    }
    if (answer.status === 401) {
      if (token === sent) await askForToken(sent === null ? "" : "The token was not accepted.");
      continue;
    }
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    const detail = typeof problem.detail === "string" ? problem.detail : `The server answers with status ${answer.status}.`;
    throw new Problem(answer.status, detail, Number(answer.headers.get("Retry-After")) || 1);
  }
}

export const info = async () => (await request("v1/info")).json();

export function tag(body, { signal, lines = false } = {}) {
  const headers = { "Content-Type": "application/json", Accept: lines ? "application/x-ndjson" : "application/json" };
  return request("v1/tag", { method: "POST", headers, body: JSON.stringify(body), signal });
}
