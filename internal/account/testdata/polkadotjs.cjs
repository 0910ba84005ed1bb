'use strict';
// Reads secret phrases on stdin, as a JSON list of texts, and prints the address of each, as polkadot-js derives it.
const { Keyring } = require('@polkadot/keyring');
const { cryptoWaitReady } = require('@polkadot/util-crypto');
const { readFileSync } = require('node:fs');

cryptoWaitReady().then(() => {
  const ring = new Keyring({ type: 'sr25519', ss58Format: 30 });
  const all = JSON.parse(readFileSync(0, 'utf8'));
  process.stdout.write(JSON.stringify(all.map((uri) => ring.createFromUri(uri).address)));
});
