// Drives @segment/analytics-node against the address it is given: node analytics_node.cjs URL WRITE_KEY
const { Analytics } = require('@segment/analytics-node')

const [host, writeKey] = process.argv.slice(2)
const errors = []

async function main() {
  const analytics = new Analytics({ writeKey, host, flushAt: 15, flushInterval: 100 })
  analytics.on('error', (error) => errors.push(String(error.code || error)))
  analytics.identify({ userId: 'user-1', anonymousId: 'anon-1', traits: { plan: 'gold' } })
  analytics.track({ userId: 'user-1', event: 'Order Completed', properties: { revenue: 12.5 } })
  analytics.page({ userId: 'user-1', category: 'Docs', name: 'Home' })
  analytics.screen({ anonymousId: 'anon-1', name: 'Welcome' })
  analytics.group({ userId: 'user-1', groupId: 'acme', traits: { split: { account: 'acme' }, seats: 12 } })
  analytics.alias({ userId: 'user-2', previousId: 'user-1' })
  await analytics.closeAndFlush()
  process.stdout.write(JSON.stringify({ errors }) + '\n')
}

main()
