// The request for what the page shows, for a shell and for Python. The token is a variable of the environment.

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function curl(url, body, hasToken) {
  const parts = [
    `curl -sS ${quoted(url)}`,
    ...(hasToken ? ['-H "Authorization: Bearer $POLYTAG_TOKEN"'] : []),
    "-H 'Content-Type: application/json'",
    `-d ${quoted(JSON.stringify(body))}`,
  ];
  return parts.join(" \\\n  ");
}

// The body holds only texts, numbers and lists of them: its JSON is Python, too.
export function python(url, body, hasToken) {
  const fields = Object.entries(body).map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`);
  const token = hasToken ? ', "Authorization": "Bearer " + os.environ["POLYTAG_TOKEN"]' : "";
  return `import json
${hasToken ? "import os\n" : ""}import urllib.request

body = {
${fields.join("")}}
headers = {"Content-Type": "application/json"${token}}
request = urllib.request.Request(${JSON.stringify(url)}, json.dumps(body).encode(), headers)
with urllib.request.urlopen(request) as answer:
    for tagged in json.load(answer)["results"]:
        for span in tagged["spans"]:
            print(span["task"], span["label"], span["text"], span["score"])
        print(tagged["tags"])
`;
}
