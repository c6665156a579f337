// Drives statsig-node, Statsig's older SDK for Node.
const { drive, changed } = require('./drive.cjs')
const statsig = require('statsig-node').default
const { version } = require('statsig-node/package.json')

const userOf = (user) => (typeof user === 'string' ? { userID: user } : user)

async function start({ key, options }) {
  const details = await statsig.initialize(key, { ...options, rulesUpdatedCallback: changed })
  return { ready: details.success && details.source === 'Network', version }
}

function evaluate({ kind, flag, user, default: defaults }) {
  if (kind === 'gate') return statsig.checkGateSync(userOf(user), flag)
  if (kind === 'layer') {
    const layer = statsig.getLayerSync(userOf(user), flag)
    return Object.fromEntries(Object.entries(defaults).map(([name, otherwise]) => [name, layer.get(name, otherwise)]))
  }
  if (kind === 'experiment') return statsig.getExperimentSync(userOf(user), flag).value
  return statsig.getConfigSync(userOf(user), flag).value
}

drive({
  start,
  evaluate,
  // It downloads every 5 seconds at most, ID lists every 30: a scenario that cannot wait asks for it.
  sync: async () => { await statsig.syncConfigSpecs(); await statsig.syncIdLists() },
  track: ({ event, user, value, metadata }) => statsig.logEvent(userOf(user), event, value, metadata),
  flush: () => statsig.flush(),
  close: () => statsig.shutdownAsync(),
})
