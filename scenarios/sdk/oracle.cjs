// Runs Segment's published Actions framework on cases from standard input, one JSON object a line, and writes what it
// made of each, one JSON line in the same order. Nothing leaves the machine: requests are caught before the network.
//
//   {"kind": "launchdarkly" | "webhook", "event", "settings", "subscriptions"?}  -> one result for each subscription
//   {"kind": "trigger", "trigger", "messages": [..]}  -> {"error"} or {"matches": [..]}
//   {"kind": "mapping", "mapping", "event"}  -> {"error"} or {"payload"}
//   {"kind": "dates", "texts": [..]}  -> [[milliseconds or null, whether it passes as date-like], ..]
//
// Run it with TZ=UTC. ORACLE_NOW holds the clock, in epoch milliseconds.
'use strict'
const path = require('path')
const readline = require('readline')

const now = Number(process.env.ORACLE_NOW || 1700000000000)
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length ? args : [now]))
  }
  static now() {
    return now
  }
}

let caught = []
const crossFetch = require.resolve('cross-fetch')
const { Response, Request, Headers } = require(crossFetch)
const fetch = async (request) => {
  const { method, url, headers } = request
  const body = await request.text()
  caught.push({ method, url, headers: Object.fromEntries(headers), body: body ? JSON.parse(body) : null, text: body })
  return new Response('{}', { status: 202, headers: { 'content-type': 'application/json' } })
}
require.cache[crossFetch].exports = Object.assign(fetch, { fetch, default: fetch, Response, Request, Headers })

const { Destination, transform } = require('@segment/actions-core')
const { parseFql, validate } = require('@segment/destination-subscriptions')
const { fieldsToJsonSchema } = require('@segment/actions-core')
const { validateSchema } = require('@segment/actions-core')
const dayjs = require('dayjs')

const folder = path.dirname(require.resolve('@segment/action-destinations/package.json'))
const definitions = {}
const destinations = {}
for (const name of ['launchdarkly', 'webhook']) {
  definitions[name] = require(path.join(folder, 'dist', 'destinations', name)).default
  destinations[name] = new Destination(definitions[name])
}

async function run(destination, event, settings, subscription) {
  caught = []
  const result = { mapping: subscription.name, matched: true, request: null, cause: '' }
  try {
    const outputs = await destination.onEvent(event, { ...settings, subscriptions: [subscription] })
    result.matched = outputs.some(({ output }) => output === 'Action Executed')
    if (!result.matched && outputs[0] && outputs[0].output !== 'not subscribed') result.cause = outputs[0].output
  } catch (error) {
    result.cause = error.message
  }
  result.request = caught[0] || null
  return result
}

async function actions({ kind, event, settings, subscriptions }) {
  const results = []
  for (const subscription of subscriptions || definitions[kind].presets) {
    results.push(await run(destinations[kind], event, settings, subscription))
  }
  return results
}

function trigger({ trigger, messages }) {
  const parsed = parseFql(trigger)
  if (parsed.error) return { error: parsed.error.message }
  const matches = messages.map((message) => {
    try {
      return validate(parsed, message)
    } catch {
      return false
    }
  })
  return { matches }
}

function mapping({ mapping, event }) {
  try {
    const payload = transform(mapping, event)
    return payload === undefined ? {} : { payload }
  } catch (error) {
    return { error: error.message }
  }
}

const dateSchema = fieldsToJsonSchema({ at: { label: 'At', description: '', type: 'datetime' } })
function dates({ texts }) {
  return texts.map((text) => {
    const date = dayjs(text)
    const passes = validateSchema({ at: text }, dateSchema, { schemaKey: 'dates', throwIfInvalid: false })
    return [date.isValid() ? date.valueOf() : null, passes]
  })
}

async function main() {
  const kinds = { launchdarkly: actions, webhook: actions, trigger, mapping, dates }
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const question = JSON.parse(line)
    process.stdout.write(JSON.stringify(await kinds[question.kind](question)) + '\n')
  }
}

main()
