// Browsers start no worker for a page that was opened from a folder. There the search, which is a worker, runs in a
// hidden frame instead. The name of this file is the one that MkDocs Material looks for before it links to another one.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.append(this.frame)
      const inside = this.frame.contentWindow
      inside.document.open()
      inside.document.write("<body></body>")
      inside.document.close()
      const run = (url) =>
        new Promise((loaded, failed) => {
          const script = inside.document.createElement("script")
          script.src = url
          script.onload = loaded
          script.onerror = failed
          inside.document.body.append(script)
        })
      inside.importScripts = (...urls) => urls.reduce((before, url) => before.then(() => run(url)), Promise.resolve())
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }))
      this.running = run(address)
    }

    postMessage(data) {
      const inside = this.frame.contentWindow
      this.running.then(() => inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })))
    }

    terminate() {
      this.frame.remove()
    }
  }
}
