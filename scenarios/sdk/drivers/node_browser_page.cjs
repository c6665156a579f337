// Drives browser_page.html in a real Chromium: node node_browser_page.cjs CHROMIUM ADDRESS
// Chromium may reach 127.0.0.1 only. `told` gives each address that it asked for, and what its console said.
const { drive } = require('./drive.cjs')
const { launch } = require('puppeteer-core')

const [executablePath, address] = process.argv.slice(2)
const args = [
  '--no-sandbox', // Chromium refuses to run as root with one; the page is our own
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--metrics-recording-only',
  '--no-default-browser-check',
  '--no-first-run',
  '--no-pings',
]
const requests = []
const errors = []
let browser
let page

async function open() {
  browser = await launch({ executablePath, args, headless: true, timeout: 20000 })
  page = (await browser.pages())[0]
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`))
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()) })
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.goto(address, { waitUntil: 'load' })
}

const inPage = (command) => page.evaluate((asked) => verbs[asked.do](asked), command)

drive({
  async start(command) {
    if (!browser) await open()
    return { ...(await inPage(command)), version: await browser.version() }
  },
  evaluate: (command) => inPage({ ...command, do: 'evaluate' }),
  refresh: (command) => inPage({ ...command, do: 'refresh' }),
  told: () => ({ requests, errors }),
  track: inPage,
  flush: inPage,
  close: inPage,
  end: async () => { if (browser) await browser.close() },
})
