// Drives the client-side build of @splitsoftware/splitio: one user, memberships in place of segments.
require('./drive.cjs')
const { SplitFactory } = require('@splitsoftware/splitio/client')
const { version } = require('@splitsoftware/splitio/package.json')
require('./splitio.cjs')(SplitFactory, version, { clientSide: true })
