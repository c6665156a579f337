// Reads lines of JSON: first the bundle of all contracts, then each contract with its id, schema and payloads by name.
// Writes a line for each contract: which payloads ajv accepts by the schema alone, and which by the id in the bundle.
// Nothing may be fetched on the way: sockets and DNS throw.
"use strict";

const dns = require("node:dns");
const net = require("node:net");
const readline = require("node:readline");
const Ajv = require("ajv/dist/2020").default;

const refuse = () => {
  throw new Error("a validator reached for the network");
};
net.Socket.prototype.connect = refuse;
dns.lookup = refuse;
globalThis.fetch = refuse;

const options = { strict: false }; // "x-source" is no keyword of JSON Schema
const single = new Ajv(options);
const bundled = new Ajv(options);
let first = true;
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, schema, payloads } = JSON.parse(line);
  if (first) {
    first = false;
    bundled.addSchema(schema);
    return;
  }
  const accepted = (validate) => Object.keys(payloads).filter((name) => validate(payloads[name]));
  const alone = accepted(single.compile(schema));
  console.log(JSON.stringify({ alone, bundled: accepted(bundled.compile({ $ref: id })) }));
});
