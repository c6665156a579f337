// Drives launchdarkly-node-client-sdk, LaunchDarkly's client-side SDK for Node.
const { within } = require('./drive.cjs')
const { initialize } = require('launchdarkly-node-client-sdk')
const { version } = require('launchdarkly-node-client-sdk/package.json')

async function open({ key, options, context, seconds }) {
  const client = initialize(key, context, { streamReconnectDelay: 100, ...options })
  client.on('error', (error) => console.error(String(error)))
  return { client, ready: await within(seconds, client.waitForInitialization(seconds).then(() => true), false) }
}

require('./launchdarkly_client.cjs')(open, version)
