// The loop that every Node driver shares: one JSON command per line on stdin, one JSON answer per line on stdout.
//
//   const { drive, changed } = require('./drive.cjs')       // before the SDK, so that what it prints goes to stderr
//   drive({ start, evaluate, track, flush, close })          // each takes the command, and may be async
//
// start     {key, options, streaming, user, seconds}  gives {ready, version}; not ready in `seconds` is {ready: false}
// evaluate  {flag, kind, user, default}               gives the value
// wait      {flag, kind, user, default, until, seconds}  gives the value once it equals `until`; may be left out
// track     {event, user, value}; flush {}; close {}  their results are ignored
// A `refresh` of the driver is called before each look of `wait`, for an SDK that learns of nothing unless it is told to fetch.
// Further commands may be given by their names; `end` is called when stdin has ended.
// changed() is for the SDK's change event: a command that waits looks again at once, else every 50 ms.
// `outside` gives the hosts that the SDK looked up beside this machine: it finds none of them.
const dns = require('node:dns')
const { createInterface } = require('node:readline')
const { isDeepStrictEqual } = require('node:util')

const answer = process.stdout.write.bind(process.stdout)
process.stdout.write = process.stderr.write.bind(process.stderr)
for (const name of ['log', 'info', 'debug']) console[name] = console.error

const outside = new Set()
const { lookup } = dns
dns.lookup = (host, ...rest) => {
  if (['localhost', '127.0.0.1', '::1'].includes(host)) return lookup(host, ...rest)
  outside.add(host)
  return process.nextTick(rest.at(-1), Object.assign(new Error(`${host} is outside`), { code: 'ENOTFOUND' }))
}

let wake = () => {}
const changed = () => wake()
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

// Gives the promise's value, or `otherwise` when it was refused or took longer than `seconds`.
async function within(seconds, promise, otherwise) {
  const refused = (error) => { console.error('refused:', error); return otherwise }
  return Promise.race([Promise.resolve(promise).catch(refused), pause(seconds * 1000).then(() => otherwise)])
}

async function reevaluate({ evaluate, refresh }, command) {
  const end = Date.now() + command.seconds * 1000
  for (;;) {
    if (refresh) await refresh(command)
    const value = await evaluate(command)
    if (isDeepStrictEqual(value, command.until)) return value
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(value)} after ${command.seconds} s`)
    await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 50) })
  }
}

async function run(verbs, command) {
  const verb = Object.hasOwn(verbs, command.do) ? verbs[command.do] : undefined
  if (!verb) throw new Error(`no such command: ${command.do}`)
  const result = await verb(command)
  return result === undefined ? null : result
}

async function drive(given) {
  process.on('unhandledRejection', (reason) => console.error('unhandled rejection:', reason))
  process.on('uncaughtException', (error) => console.error('uncaught exception:', error))
  const verbs = { wait: (command) => reevaluate(given, command), outside: () => [...outside], ...given }
  for await (const line of createInterface({ input: process.stdin })) {
    let told
    try {
      told = { ok: true, result: await run(verbs, { seconds: 10, ...JSON.parse(line) }) }
    } catch (error) {
      told = { ok: false, error: String((error && error.stack) || error) }
    }
    answer(`${JSON.stringify(told)}\n`)
  }
  if (given.end) await given.end()
  process.exit(0)
}

module.exports = { drive, changed, pause, within }
