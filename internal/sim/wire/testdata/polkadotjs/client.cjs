'use strict';
// Uses a node as any program would that is built on polkadot-js, and says on stdout what it found, as JSON.
const { ApiPromise, WsProvider } = require('@polkadot/api');

const [url, account, heads] = process.argv.slice(2);

async function main() {
  const provider = new WsProvider(url, false);
  await provider.connect();
  const api = await ApiPromise.create({ provider, noInitWarn: true, throwOnConnect: true });
  const found = {
    chain: api.runtimeChain.toString(),
    genesis: api.genesisHash.toHex(),
    spec: `${api.runtimeVersion.specName}/${api.runtimeVersion.specVersion}`,
    ss58: api.registry.chainSS58,
    deposit: api.consts.balances.existentialDeposit.toString(),
  };

  const numbers = [];
  await new Promise((done) => {
    let stop;
    api.rpc.chain.subscribeNewHeads((head) => {
      numbers.push(head.number.toNumber());
      if (numbers.length >= Number(heads)) {
        stop ? stop() : undefined;
        done();
      }
    }).then((unsubscribe) => { stop = unsubscribe; });
  });
  found.heads = numbers;
  found.finalized = (await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead())).number.toNumber();

  const a = await api.query.system.account(account);
  found.account = { nonce: a.nonce.toNumber(), free: a.data.free.toString(), reserved: a.data.reserved.toString() };
  found.now = (await api.query.timestamp.now()).toNumber();
  found.multi = (await api.queryMulti([api.query.system.number, api.query.balances.totalIssuance])).map(String);
  found.accounts = (await api.query.system.account.entries()).map(([key, v]) => [key.args[0].toString(), v.data.free.toString()]);

  const hash = await api.rpc.chain.getBlockHash(numbers[0]);
  const then = await api.at(hash);
  found.then = { number: (await then.query.system.number()).toNumber(), now: (await then.query.timestamp.now()).toNumber() };
  found.events = (await then.query.system.events()).map((r) => `${r.phase.type} ${r.event.section}.${r.event.method}`);
  const block = await api.rpc.chain.getBlock(hash);
  found.extrinsics = block.block.extrinsics.map((x) => `${x.method.section}.${x.method.method} ${x.method.args.join()}`);
  found.unknown = await api.query.system.account.at('0x' + 'ab'.repeat(32), account).then(() => 'no error', (e) => e.message);
  await api.disconnect();
  console.log(JSON.stringify(found));
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
