'use strict';
// Reads runtimes and encoded calls on stdin, as JSON; prints for each call which one polkadot-js takes it for, and its own encoding of it.
const { Metadata, TypeRegistry } = require('@polkadot/types');
const { u8aToHex } = require('@polkadot/util');
const { readFileSync } = require('node:fs');

const chains = JSON.parse(readFileSync(0, 'utf8'));
const out = chains.map(({ Metadata: blob, Calls }) => {
  const registry = new TypeRegistry();
  registry.setMetadata(new Metadata(registry, `0x${blob}`));
  return Calls.map((data) => {
    try {
      const call = registry.createType('Call', `0x${data}`);
      return { Call: `${call.section}.${call.method}`, Data: u8aToHex(call.toU8a()).slice(2), Error: '' };
    } catch (error) {
      return { Call: '', Data: '', Error: error.message };
    }
  });
});
process.stdout.write(JSON.stringify(out));
