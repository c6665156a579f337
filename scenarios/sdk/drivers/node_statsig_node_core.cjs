// Drives @statsig/statsig-node-core, Statsig's SDK for Node.
const { drive, changed } = require('./drive.cjs')
const { Statsig, StatsigUser } = require('@statsig/statsig-node-core')
const { version } = require('@statsig/statsig-node-core/package.json')

let sdk
const userOf = (user) => new StatsigUser(typeof user === 'string' ? { userID: user } : user)

async function start({ key, options }) {
  sdk = new Statsig(key, options)
  let ready = false
  sdk.subscribe('specs_updated', () => { ready = true; changed() })
  const { isSuccess } = await sdk.initialize()
  return { ready: isSuccess && ready, version }
}

function evaluate({ kind, flag, user, default: defaults }) {
  if (kind === 'gate') return sdk.checkGate(userOf(user), flag)
  if (kind === 'layer') {
    const layer = sdk.getLayer(userOf(user), flag)
    return Object.fromEntries(Object.entries(defaults).map(([name, otherwise]) => [name, layer.get(name, otherwise)]))
  }
  if (kind === 'experiment') return sdk.getExperiment(userOf(user), flag).value
  return sdk.getDynamicConfig(userOf(user), flag).value
}

drive({
  start,
  evaluate,
  track: ({ event, user, value, metadata }) => sdk.logEvent(userOf(user), event, value, metadata),
  flush: () => sdk.flushEvents(),
  close: () => sdk.shutdown(),
})
