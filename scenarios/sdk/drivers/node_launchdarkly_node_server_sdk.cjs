// Drives @launchdarkly/node-server-sdk, LaunchDarkly's SDK for Node.
const { drive, changed, within } = require('./drive.cjs')

// It lets nobody ask for less than 30 seconds between two polls, and a scenario cannot wait.
const { setTimeout: wait } = globalThis
const isPoll = (milliseconds) => milliseconds > 25_000 && milliseconds <= 30_000
globalThis.setTimeout = (act, milliseconds, ...rest) => wait(act, isPoll(milliseconds) ? 300 : milliseconds, ...rest)

const { init } = require('@launchdarkly/node-server-sdk')
// By its path, as the package lets nobody require its package.json by name.
const { version } = require('../node_modules/@launchdarkly/node-server-sdk/package.json')

let client
const contextOf = (user) => (typeof user === 'string' ? { kind: 'user', key: user } : user)

async function start({ key, options, streaming, seconds, config }) {
  client = init(key, { streamInitialReconnectDelay: 0.1, ...options, stream: streaming ?? true, ...config })
  client.on('update', changed)
  client.on('error', (error) => console.error(String(error)))
  await within(seconds, client.waitForInitialization({ timeout: seconds }))
  return { ready: client.initialized(), version }
}

async function evaluate({ kind, flag, user, default: otherwise }) {
  if (kind !== 'detail') return client.variation(flag, contextOf(user), otherwise)
  const { value, variationIndex, reason } = await client.variationDetail(flag, contextOf(user), otherwise)
  return { value, variation: variationIndex, reason }
}

drive({
  start,
  evaluate,
  track: ({ event, user, value }) => client.track(event, contextOf(user), { from: 'Node' }, value),
  flush: () => client.flush(),
  close: () => client.close(),
})
