// Drives @splitsoftware/splitio-browserjs, which expects a browser's fetch and EventSource.
require('./drive.cjs')
globalThis.EventSource ??= require('eventsource')
const { SplitFactory } = require('@splitsoftware/splitio-browserjs')
const { version } = require('@splitsoftware/splitio-browserjs/package.json')
require('./splitio.cjs')(SplitFactory, version, { clientSide: true })
