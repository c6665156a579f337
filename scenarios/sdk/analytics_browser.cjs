// Drives @segment/analytics-next in jsdom: node analytics_browser.cjs URL WRITE_KEY [batching]
// jsdom keeps to CORS, so preflights and allowed origins are real; only the page is not.
const { JSDOM } = require('jsdom')

const [url, writeKey, strategy] = process.argv.slice(2)
const wanted = strategy === 'batching' ? 1 : 3
const errors = []
let posted = 0
const dom = new JSDOM('<!doctype html><title>Shop</title>', { url: 'http://shop.example/cart', pretendToBeVisual: true })
const { window } = dom

// The SDK is written for a browser: give it this window's globals, and a fetch that keeps to CORS.
function corsFetch(target, options = {}) {
  return new Promise((resolve, reject) => {
    const request = new window.XMLHttpRequest()
    request.open(options.method || 'GET', String(target))
    const headers = options.headers || {}
    const entries = typeof headers.entries === 'function' ? [...headers.entries()] : Object.entries(headers)
    for (const [name, value] of entries) request.setRequestHeader(name, value)
    request.onload = () => {
      posted += (options.method || '').toUpperCase() === 'POST' ? 1 : 0
      resolve({
        ok: request.status >= 200 && request.status < 300,
        status: request.status,
        headers: { get: (name) => request.getResponseHeader(name) },
        json: async () => JSON.parse(request.responseText),
        text: async () => request.responseText,
      })
    }
    request.onerror = () => reject(new TypeError(`blocked or failed: ${target}`))
    request.send(options.body)
  })
}
window.fetch = corsFetch
for (const name of ['window', 'document', 'location', 'localStorage', 'sessionStorage', 'XMLHttpRequest', 'HTMLElement', 'Event', 'CustomEvent']) {
  globalThis[name] = name === 'window' ? window : window[name]
}
Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true })
globalThis.fetch = corsFetch

async function main() {
  const { AnalyticsBrowser } = require('@segment/analytics-next')
  const delivery = strategy === 'batching' ? { deliveryStrategy: { strategy: 'batching', config: { size: 3, timeout: 200 } } } : {}
  const host = url.replace('http://', '')
  const [analytics] = await AnalyticsBrowser.load(
    { writeKey, cdnURL: url },
    { integrations: { 'Segment.io': { apiHost: `${host}/v1`, protocol: 'http', ...delivery } } },
  )
  await analytics.identify('user-1', { plan: 'gold' })
  await analytics.page('Docs', 'Home')
  await analytics.track('Order Completed', { revenue: 12.5 })
  // Requests of a page outlive the promise of a call: end when all were answered; the caller has a time limit.
  while (posted < wanted) await new Promise((resolve) => setTimeout(resolve, 10))
  process.stdout.write(JSON.stringify({ errors, anonymousId: analytics.user().anonymousId() }) + '\n')
  process.exit(0)
}

main().catch((error) => { process.stdout.write(JSON.stringify({ errors: [String(error)] }) + '\n'); process.exit(1) })
