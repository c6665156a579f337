// A window of jsdom with what LaunchDarkly's browser SDKs expect there. jsdom keeps to CORS, so preflights are real.
const { JSDOM } = require('jsdom')
const { webcrypto } = require('node:crypto')
const EventSource = require('eventsource')

const { window } = new JSDOM('<!doctype html><title>Shop</title>', { url: 'http://shop.example/cart' })
window.EventSource = EventSource
for (const name of ['document', 'location', 'localStorage', 'XMLHttpRequest']) globalThis[name] = window[name]
globalThis.window = window
globalThis.EventSource = EventSource
globalThis.crypto ??= webcrypto
Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true })

// jsdom has no fetch; this one goes through its XMLHttpRequest, which keeps to CORS.
globalThis.fetch = window.fetch = (url, { method = 'GET', headers = {}, body } = {}) => new Promise((resolve, reject) => {
  const request = new window.XMLHttpRequest()
  request.open(method, String(url))
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
  request.onload = () => resolve({
    ok: request.status >= 200 && request.status < 300,
    status: request.status,
    headers: { get: (name) => request.getResponseHeader(name) },
    json: async () => JSON.parse(request.responseText),
    text: async () => request.responseText,
  })
  request.onerror = () => reject(new TypeError(`blocked or failed: ${url}`))
  request.send(body)
})
