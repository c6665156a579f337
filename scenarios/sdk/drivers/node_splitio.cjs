// Drives @splitsoftware/splitio on a server.
require('./drive.cjs')
const { SplitFactory } = require('@splitsoftware/splitio')
const { version } = require('@splitsoftware/splitio/package.json')
require('./splitio.cjs')(SplitFactory, version, { clientSide: false })
