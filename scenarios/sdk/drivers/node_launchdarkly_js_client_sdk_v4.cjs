// Drives @launchdarkly/js-client-sdk, version 4 of LaunchDarkly's SDK for browsers, in a window of jsdom.
require('./drive.cjs')
require('./launchdarkly_page.cjs')
const { createClient } = require('@launchdarkly/js-client-sdk')
// By its path, as the package lets nobody require its package.json by name.
const { version } = require('../node_modules/@launchdarkly/js-client-sdk/package.json')

// In this version the hash of secure mode belongs to each identify, the first one included.
async function open({ key, options: { hash, ...options }, context, seconds }) {
  const client = createClient(key, context, options)
  client.on('error', (_context, error) => console.error(String(error)))
  const { status } = await client.start({ timeout: seconds, identifyOptions: { hash } })
  return { client, ready: status === 'complete' }
}

require('./launchdarkly_client.cjs')(open, version)
