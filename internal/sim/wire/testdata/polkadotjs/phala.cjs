'use strict';
// Reads all sessions and pools of Phala's pallets, whichever of the two generations the runtime has, and says on stdout what it found, as JSON.
const { ApiPromise, WsProvider } = require('@polkadot/api');

const [url] = process.argv.slice(2);

async function main() {
  const provider = new WsProvider(url, false);
  await provider.connect();
  const api = await ApiPromise.create({ provider, noInitWarn: true, throwOnConnect: true });
  const at = await api.at(await api.rpc.chain.getFinalizedHead());
  const v1 = at.query.phalaMining !== undefined;
  const number = (await at.query.system.number()).toNumber();
  const sessions = {};
  for (const [key, value] of await (v1 ? at.query.phalaMining.miners : at.query.phalaComputation.sessions).entries()) {
    const s = value.unwrap();
    sessions[key.args[0].toString()] = [s.state.type, s.ve.toString(), s.v.toString(), s.benchmark.pInit.toString(), s.benchmark.pInstant.toString(),
      s.coolDownStart.toString(), s.stats.totalReward.toString()];
  }
  const pools = {};
  for (const [key, value] of await (v1 ? at.query.phalaStakePool.stakePools : at.query.phalaBasePool.pools).entries()) {
    let p = value.unwrap();
    const kind = v1 ? 'StakePool' : p.type;
    if (!v1) p = kind === 'Vault' ? p.asVault : p.asStakePool;
    const base = v1 ? p : p.basepool;
    pools[key.args[0].toString()] = [kind, base.owner.toString(), (v1 ? p.totalStake : base.totalValue).toString(), base.totalShares.toString(),
      (kind === 'Vault' ? [] : p.workers).map(String).join(), base.withdrawQueue.map((q) => q.user.toString()).join()];
  }
  const mining = v1 ? at.query.phalaMining : at.query.phalaComputation;
  const vMax = (await mining.tokenomicParameters()).unwrap().vMax.toString();
  await api.disconnect();
  console.log(JSON.stringify({ number, sessions, pools, vMax }));
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
