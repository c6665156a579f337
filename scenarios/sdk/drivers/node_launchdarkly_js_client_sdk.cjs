// Drives launchdarkly-js-client-sdk, version 3 of LaunchDarkly's SDK for browsers, in a window of jsdom.
const { within } = require('./drive.cjs')
require('./launchdarkly_page.cjs')
const { initialize } = require('launchdarkly-js-client-sdk')
const { version } = require('launchdarkly-js-client-sdk/package.json')

async function open({ key, options, context, seconds }) {
  const client = initialize(key, context, { streamReconnectDelay: 100, ...options })
  client.on('error', (error) => console.error(String(error)))
  return { client, ready: await within(seconds, client.waitForInitialization(seconds).then(() => true), false) }
}

require('./launchdarkly_client.cjs')(open, version)
