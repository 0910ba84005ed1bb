'use strict';
// Reads what phalops has read of a chain at its newest finalized block, with the stock JavaScript client, and says on stdout, as JSON, how
// long that took, how much CPU time, and what was found.
const { readFileSync } = require('node:fs');
const { ApiPromise, HttpProvider } = require('@polkadot/api');

const { url, sent } = JSON.parse(process.argv[1]);

// asked is what phalops has asked for: prefixes of the maps that it read whole, and single keys.
function asked() {
  const whole = new Set();
  const keys = new Set();
  for (const body of JSON.parse(readFileSync(sent, 'utf8'))) {
    const { method, params } = JSON.parse(body);
    if (method === 'state_getKeysPaged') whole.add(params[0]);
    else params[0].forEach((k) => keys.add(k));
  }
  return { whole, keys: [...keys].filter((k) => !whole.has(k.slice(0, 66))) };
}

async function main() {
  const { whole, keys } = asked();
  const api = await ApiPromise.create({ provider: new HttpProvider(url), noInitWarn: true, throwOnConnect: true });
  const at = await api.at(await api.rpc.chain.getFinalizedHead());
  const reads = [];
  const found = {};
  for (const [pallet, items] of Object.entries(at.query)) {
    for (const [name, item] of Object.entries(items)) {
      const prefix = item.creator && item.keyPrefix();
      const some = keys.filter((k) => k.startsWith(prefix));
      if (whole.has(prefix)) {
        whole.delete(prefix);
        reads.push(async () => { found[name] = await item.entries(); });
      } else if (some.length === 1 && some[0] === prefix) {
        reads.push(() => item());
      } else if (some.length > 0) {
        const args = some.map((k) => { const s = api.registry.createType('StorageKey', k); s.setMeta(item.creator.meta, pallet, name); return s.args.length === 1 ? s.args[0] : [...s.args]; });
        reads.push(() => item.multi(args));
      }
    }
  }
  if (whole.size > 0) throw new Error(`no map begins with ${[...whole]}`);
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await Promise.all(reads.map((read) => read()));
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  const count = (...names) => names.reduce((n, name) => n + (found[name] || []).length, 0);
  const stake = found.stakes.reduce((n, [, v]) => n + v.unwrap().toBigInt(), 0n);
  console.log(JSON.stringify({
    seconds,
    cpu: (used.user + used.system) / 1e6,
    memory: Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024,
    found: { sessions: count('miners', 'sessions'), workers: count('workers'), pools: count('stakePools', 'pools'), stakers: count('poolStakers'), stake: String(stake) },
  }));
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
