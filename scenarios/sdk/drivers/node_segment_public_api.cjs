// Segment's published client of its Public API. `start` {url, token}; `call` {api, method, arguments} gives
// {status, body}, or {status, error} where the client was refused.
const { drive } = require('./drive.cjs')
const published = require('@segment/public-api-sdk-typescript')

const apis = {}
let connection

function connected(name) {
  if (!apis[name]) {
    apis[name] = new published[name](connection.url)
    apis[name].accessToken = connection.token
  }
  return apis[name]
}

async function call({ api, method, arguments: given = [] }) {
  try {
    const { response, body } = await connected(api)[method](...given)
    return { status: response.statusCode, body: body.data }
  } catch (error) {
    if (!error.response) throw error
    return { status: error.response.statusCode, error: error.body.errors }
  }
}

drive({ start: ({ url, token }) => { connection = { url, token } }, call })
