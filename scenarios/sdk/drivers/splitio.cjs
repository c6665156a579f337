// What the drivers of Split's SDKs for JavaScript share: one factory with its client.
// `user` given: a client-side SDK, which has one user. Its SDK is destroyed by `close`, which flushes.
const { drive, changed, within } = require('./drive.cjs')

// Polls every second where it does not stream, and posts at once what it was told to post.
const rates = { featuresRefreshRate: 1, segmentsRefreshRate: 1, impressionsRefreshRate: 1, eventsPushRate: 1 }

module.exports = function driveSplit(SplitFactory, version, { clientSide, storage }) {
  let client
  let user

  async function start(command) {
    user = command.user || 'user-1'
    const { core, ...options } = command.options
    const factory = SplitFactory({
      ...options,
      core: { ...core, authorizationKey: command.key, ...(clientSide ? { key: user } : {}) },
      startup: { readyTimeout: command.seconds, requestTimeoutBeforeReady: command.seconds, eventsFirstPushWindow: 0 },
      scheduler: rates,
      sync: { impressionsMode: 'DEBUG' },
      streamingEnabled: command.streaming !== false,
      ...(storage ? { storage: storage() } : {}),
      ...command.config,
    })
    client = factory.client()
    client.on(client.Event.SDK_UPDATE, changed)
    const ready = await within(command.seconds, client.ready().then(() => true), false)
    return { ready, version }
  }

  function evaluate({ flag, kind, user: of = 'user-1', attributes }) {
    const of_ = clientSide ? [flag, attributes] : [of, flag, attributes]
    if (kind !== 'config') return client.getTreatment(...of_)
    const { treatment, config } = client.getTreatmentWithConfig(...of_)
    return [treatment, config]
  }

  function track({ event, user: of = 'user-1', value }) {
    client.track(...(clientSide ? ['user', event, value] : [of, 'user', event, value]))
  }

  const flush = async () => { if (client.flush) await client.flush() }
  const close = async () => { if (client) await within(10, client.destroy()) }
  drive({ start, evaluate, track, flush, close })
}
