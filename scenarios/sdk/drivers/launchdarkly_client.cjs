// What the drivers of LaunchDarkly's client-side SDKs share: one context at a time, and a fetch by identifying it again.
const { drive, changed } = require('./drive.cjs')

// `open` starts an SDK: ({key, options, context, streaming, seconds}) gives {ready, client}.
module.exports = (open, version) => {
  let client
  let current
  let streams
  const contextOf = (user) => (typeof user === 'string' ? { kind: 'user', key: user } : user)

  async function start({ key, options, streaming = true, user, seconds, config }) {
    current = JSON.stringify(user)
    streams = streaming
    const opened = await open({ key, options: { ...options, streaming, ...config }, context: contextOf(user), seconds })
    client = opened.client
    if (streaming) client.on('change', changed)
    return { ready: opened.ready, version }
  }

  async function identify(user) {
    current = JSON.stringify(user)
    await client.identify(contextOf(user))
  }

  async function evaluate({ kind, flag, user, default: otherwise }) {
    if (user && JSON.stringify(user) !== current) await identify(user)
    if (kind !== 'detail') return client.variation(flag, otherwise)
    const { value, variationIndex, reason } = client.variationDetail(flag, otherwise)
    return { value, variation: variationIndex, reason }
  }

  drive({
    start,
    evaluate,
    // The SDK keeps to a few identifies a second only in its documents; without a stream it is how a page fetches again.
    refresh: async ({ user }) => { if (!streams) await identify(user) },
    all: () => client.allFlags(),
    track: ({ event, value }) => client.track(event, { from: 'a page' }, value),
    flush: () => client.flush(),
    close: () => client.close(),
  })
}
