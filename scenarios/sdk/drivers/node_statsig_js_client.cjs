// Drives @statsig/js-client, Statsig's SDK for browsers, in a window of jsdom: there it writes its bodies backwards.
const { drive } = require('./drive.cjs')
const { JSDOM } = require('jsdom')

const { window } = new JSDOM('', { url: 'http://127.0.0.1/' })
global.window = window
global.document = window.document
const { StatsigClient } = require('@statsig/js-client')
const { version } = require('@statsig/js-client/package.json')

let client
let current
const userOf = (user) => (typeof user === 'string' ? { userID: user } : user)

async function start({ key, options, user }) {
  current = JSON.stringify(user)
  client = new StatsigClient(key, userOf(user), options)
  const { success, source } = await client.initializeAsync()
  return { ready: success && source === 'Network', version }
}

async function update(user) {
  current = JSON.stringify(user)
  await client.updateUserAsync(userOf(user))
}

async function evaluate({ kind, flag, user, default: defaults }) {
  if (user && JSON.stringify(user) !== current) await update(user)
  if (kind === 'gate') return client.checkGate(flag)
  if (kind === 'layer') {
    const layer = client.getLayer(flag)
    return Object.fromEntries(Object.entries(defaults).map(([name, otherwise]) => [name, layer.get(name, otherwise)]))
  }
  if (kind === 'experiment') return client.getExperiment(flag).value
  return client.getDynamicConfig(flag).value
}

drive({
  start,
  evaluate,
  refresh: ({ user }) => update(user),
  track: ({ event, value, metadata }) => client.logEvent(event, value, metadata),
  flush: () => client.flush(),
  close: () => client.shutdown(),
})
