// What node_browser_page.cjs asks of the page: the same verbs as drive.cjs, of several SDKs at a time.
// Each of `sdks` is a function of (key, options, user) that starts one and gives its verbs.
const running = {}

function reached(promise) {
  return promise.then(() => true, (error) => { console.error(String(error)); return false })
}

const sdks = {
  // The snippet's way: a stub with its settings on it, then the library, which takes its place.
  async '@segment/analytics-next'(key, options) {
    const stub = Object.assign([], { _writeKey: key, _cdn: options.cdnURL })
    window.analytics = stub
    const script = document.createElement('script')
    script.src = '../node_modules/@segment/analytics-next/dist/umd/standalone.js'
    document.head.append(script)
    const ready = await reached(new Promise((resolve) => { stub.push(['ready', resolve]) }))
    return { ready, track: (event, value) => window.analytics.track(event, { value }), flush() {}, close() {} }
  },

  async 'launchdarkly-js-client-sdk'(key, options, user) {
    const client = LDClient.initialize(key, { kind: 'user', key: user }, options)
    const ready = await reached(client.waitForInitialization(5))
    return { ready, ...launchDarkly(client) }
  },

  async '@launchdarkly/js-client-sdk'(key, options, user) {
    const client = LDClient4.createClient(key, { kind: 'user', key: user }, options)
    const { status } = await client.start({ timeout: 5 })
    return { ready: status === 'complete', ...launchDarkly(client) }
  },

  async '@statsig/js-client'(key, options, user) {
    const { StatsigClient } = window.Statsig
    const client = new StatsigClient(key, { userID: user }, options)
    const details = await client.initializeAsync()
    return {
      ready: details.success && details.source === 'Network',
      evaluate: (gate) => client.checkGate(gate),
      refresh: () => client.updateUserAsync({ userID: user }),
      track: (event, value) => client.logEvent(event, value),
      flush: () => client.flush(),
      close: () => client.shutdown(),
    }
  },
}

function launchDarkly(client) {
  return {
    evaluate: (flag, otherwise) => client.variation(flag, otherwise),
    track: (event, value) => client.track(event, { from: 'page' }, value),
    flush: () => client.flush(),
    close: () => client.close(),
  }
}

const verbs = {
  async start({ sdk, key, options, user }) {
    const { ready, ...rest } = await sdks[sdk](key, options, user)
    running[sdk] = rest
    return { ready }
  },
  evaluate: ({ sdk, flag, default: otherwise }) => running[sdk].evaluate(flag, otherwise),
  // A streaming SDK is told of a change; one that is not fetches again.
  async refresh({ sdk }) { if (running[sdk].refresh) await running[sdk].refresh() },
  async track({ sdk, event, value }) { await running[sdk].track(event, value) },
  async flush({ sdk }) { await running[sdk].flush() },
  async close() { for (const name of Object.keys(running)) await running[name].close() },
}
