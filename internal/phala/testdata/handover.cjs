'use strict';
// Reads runtimes and orders on stdin, as JSON; prints for each list of orders the call that polkadot-js makes of it, the same through a
// proxy of the owner, and the call's hash.
const { Metadata, TypeRegistry, expandMetadata } = require('@polkadot/types');
const { readFileSync } = require('node:fs');

const out = JSON.parse(readFileSync(0, 'utf8')).map(({ metadata, owner, batches }) => {
  const registry = new TypeRegistry();
  const blob = new Metadata(registry, `0x${metadata}`);
  registry.setMetadata(blob);
  const { tx } = expandMetadata(registry, blob);
  const first = !tx.phalaComputation;
  const pools = first ? tx.phalaStakePool : tx.phalaStakePoolv2;
  const names = {
    add: 'addWorker', remove: 'removeWorker', reclaim: 'reclaimPoolWorker',
    start: first ? 'startMining' : 'startComputing', stop: first ? 'stopMining' : 'stopComputing', restart: first ? 'restartMining' : 'restartComputing',
  };
  return batches.map((orders) => {
    const calls = orders.map(({ action, pool, worker, stake }) => {
      const args = [pool, worker];
      if (action === 'start' || action === 'restart') args.push(stake);
      return pools[names[action]](...args);
    });
    const call = calls.length > 1 ? tx.utility.batchAll(calls) : calls[0];
    return { call: call.toHex(), hash: call.hash.toHex(), proxied: tx.proxy.proxy(owner, null, call).toHex() };
  });
});
process.stdout.write(JSON.stringify(out));
