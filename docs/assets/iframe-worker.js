// Browsers start no worker for a page that was opened from a folder. There the search, which is a worker, runs in a
// hidden frame instead. The name of this file is the one that Zensical looks for before it links to another one.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(address) {
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.append(this.frame)
      const inside = this.frame.contentWindow
      inside.document.open()
      inside.document.write("<body></body>")
      inside.document.close()
      inside.postMessage = (data) => this.onmessage?.(new MessageEvent("message", { data }))
      this.loaded = new Promise((loaded, failed) => {
        const script = inside.document.createElement("script")
        script.src = address
        script.onload = loaded
        script.onerror = failed
        inside.document.body.append(script)
      })
    }

    postMessage(data) {
      const inside = this.frame.contentWindow
      this.loaded.then(() => inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })))
    }

    terminate() {
      this.frame.remove()
    }
  }
}
