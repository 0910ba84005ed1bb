package world

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"

	"golang.org/x/crypto/blake2b"
)

// Era is a generation of Phala's pallets.
type Era string

// The eras: PhalaMining and PhalaStakePool until December 2022, PhalaComputation and PhalaBasePool after it.
const (
	EraV1 Era = "v1"
	EraV2 Era = "v2"
)

// One PHA, and the number of the asset that W-PHA is.
const (
	PHA  = 1_000_000_000_000
	WPHA = 10_000
)

// CoolDown is how long a stopped worker's stake is locked, and GracePeriod how long a withdrawal may wait.
const (
	CoolDown    = 7 * 24 * time.Hour
	GracePeriod = 7 * 24 * time.Hour
)

// Registered is what the chain knows of a worker, whether it computes or not.
type Registered struct {
	PublicKey      [32]byte
	Operator       AccountID
	RuntimeVersion uint32
	LastUpdated    time.Time
	AddedAt        int64 // block
	Confidence     uint8 // 1 is the best
	Score          uint32
	Features       []uint32 // logical CPUs, CPU feature level
}

// Mined is a worker's session, in v1 its miner.
type Mined struct {
	Session
	Account AccountID
	PID     uint64
	Bound   bool   // the pool has the worker; otherwise the session is what was left behind
	Stake   uint64 // 0: none, the worker does not compute
}

// ChainWorker is everything that the chain stores of one worker.
type ChainWorker struct {
	Registered
	Mined *Mined // nil: it never was in a pool
}

// ChainPool is a stake pool as the chain stores it. Amounts are in 10⁻¹² PHA; total stake is Free plus Used.
type ChainPool struct {
	PID         uint64
	Owner       AccountID
	Gas         uint64 // the owner's own balance
	Commission  uint32 // parts per million
	Cap         uint64 // 0: unlimited
	Workers     [][32]byte
	CoolingDown [][32]byte
	Free, Used  uint64
	Releasing   uint64 // that part of Used whose workers cool down
	Shares      uint64
	RewardAcc   float64 // v1: PHA for each share, ever
	OwnerReward uint64  // what the owner may claim
	Legacy      uint64  // v2: what the owner may claim from the time before
	Queue       []Withdrawal
	Stakers     []Staker
	Description string
	Whitelist   []AccountID // who alone may contribute; nil: everybody
	Vaults      []uint64    // v2: vaults that have invested
}

// Total is all stake of the pool.
func (p ChainPool) Total() uint64 { return p.Free + p.Used }

// Collection is the number of the NFTs that v2 gives for shares of the pool.
func (p ChainPool) Collection() uint32 { return uint32(p.PID) + 1 }

// Account is v2's account of a pool, Lock and Reward those of its stakes and of the owner's reward.
func (p ChainPool) Account() AccountID { return derived("bp/", p.PID, p.Owner) }

// Lock is the account that holds the stakes of the pool's workers.
func (p ChainPool) Lock() AccountID { return derived("sl/", p.PID, p.Owner) }

// Reward is the account that holds what the owner may claim.
func (p ChainPool) Reward() AccountID { return derived("so/", p.PID, p.Owner) }

// Withdrawal is an entry of a pool's withdraw queue.
type Withdrawal struct {
	User   AccountID
	Shares uint64
	Start  time.Time
	NFT    uint32
}

// Staker is somebody with shares of a pool.
type Staker struct {
	User                            AccountID
	Shares, Locked, Available, Debt uint64
}

// ChainVault is a v2 vault: a pool that invests in stake pools. Its value is all invested, in the first pool of Invested.
type ChainVault struct {
	PID         uint64
	Owner       AccountID
	Commission  uint32
	Value       uint64
	Shares      uint64
	OwnerShares uint64
	Checkpoint  uint64 // share price, 10⁻¹²
	Invested    []uint64
}

// Collection is the number of the NFTs for shares of the vault.
func (v ChainVault) Collection() uint32 { return uint32(v.PID) + 1 }

// Account is the vault's own.
func (v ChainVault) Account() AccountID { return derived("bp/", v.PID, v.Owner) }

// Tokenomics are the parameters of the economy, as Gemini set them for Khala in 2022 and the Phala chain later.
type Tokenomics struct {
	PhaRate, Rho, BudgetPerBlock, VMax, CostK, CostB, SlashRate, TreasuryRatio float64
	HeartbeatWindow                                                            uint32
	RigK, RigB, Re, K, Kappa                                                   float64
}

// TheTokenomics are those of every network here.
func TheTokenomics() Tokenomics {
	return Tokenomics{PhaRate: 0.27, Rho: 1.000000666600231, BudgetPerBlock: 187.8783, VMax: 30_000, CostK: 2.37110e-8, CostB: 5.05419e-5,
		TreasuryRatio: 0.2, HeartbeatWindow: 20, RigK: 0.3 / 0.27, Re: 1.5, K: 50, Kappa: 1}
}

// derived is an account that follows from a pool, as the pallets compute it (phala-blockchain, compute/stake_pool_v2.rs).
func derived(prefix string, pid uint64, what [32]byte) (id AccountID) {
	sum := blake2b.Sum256(append(binary.LittleEndian.AppendUint64(nil, pid), what[:]...))
	copy(id[:], append([]byte(prefix), sum[:]...))
	return id
}

// SessionAccount is the account of a pool's worker.
func SessionAccount(pid uint64, publicKey [32]byte) AccountID { return derived("spm/", pid, publicKey) }

// grown is V after some days of earning: ever slower, up to the greatest V that there is.
func grown(ve, days float64) float64 { return min(ve*(1+days/2000), TheTokenomics().VMax) }

// score is the part of the stake's weight that attestation of this confidence gives.
func score(confidence uint8) float64 {
	switch confidence {
	case 4:
		return 0.8
	case 5:
		return 0.7
	default:
		return 1
	}
}

// staked is the stake of a worker between the least for its power and somewhat more than twice that, in whole tens of PHA,
// and the Ve with which it starts.
func staked(power uint64, confidence uint8, generosity float64) (stake uint64, ve float64) {
	t := TheTokenomics()
	least := t.K * math.Sqrt(float64(power))
	tens := uint64(least*(1+1.2*generosity)/10) + 1
	f := 1 + score(confidence)*(t.Re-1)
	most := t.VMax/f - t.RigK*float64(power)
	tens = min(tens, uint64(most/10))
	return tens * 10 * PHA, f * (float64(tens*10) + t.RigK*float64(power))
}

// share is amount × part ÷ whole.
func share(amount, part, whole uint64) uint64 {
	hi, lo := bits.Mul64(amount, part)
	q, _ := bits.Div64(hi, lo, whole)
	return q
}

// fill puts a pool together from the stakes of its workers: the rest of it follows from its number and from how old the
// network is.
func (p *ChainPool) fill(era Era, workers []*ChainWorker, born, at time.Time) {
	days := at.Sub(born).Hours() / 24
	var rewards uint64
	for _, w := range workers {
		p.Workers = append(p.Workers, w.PublicKey)
		p.Used += w.Mined.Stake
		rewards += w.Mined.TotalReward
		if w.Mined.State == "WorkerCoolingDown" {
			p.CoolingDown = append(p.CoolingDown, w.PublicKey)
			p.Releasing += w.Mined.Stake
		}
	}
	n := p.PID
	p.Commission = uint32(20_000 * (n % 16))
	p.Description = "stake pool of the simulated network"
	p.Gas = uint64(max(0.02, 4+float64(p.Owner[0]%23)-days/100) * PHA)
	if n%10 == 3 {
		p.Whitelist = []AccountID{p.Owner}
	}
	queued := n%3 == 2 && p.Used > 0
	if p.Free = (50 + n*37%900) * PHA; queued {
		p.Free = PHA / 2
	}
	p.OwnerReward = share(rewards, uint64(p.Commission), 1_000_000) / 3
	if era == EraV2 {
		p.Free += share(rewards, 1_000_000-uint64(p.Commission), 1_000_000) / 100
		p.Legacy = n % 5 * PHA / 4
	}
	if n%4 != 0 {
		p.Cap = (p.Total()/(1000*PHA) + 1 + n%7) * 1000 * PHA
	}
	p.Shares = share(p.Total(), 1000, 1000+n%40)
	p.RewardAcc = float64(rewards) / float64(max(p.Shares, 1))
	if queued {
		p.Queue = []Withdrawal{{person(n, 1), p.Shares / 50, born.Add(-5 * 24 * time.Hour), 11}, {person(n, 2), p.Shares / 200, born.Add(-30 * time.Hour), 17}}
	}
	left := p.Shares
	for i, percent := range []uint64{40, 30, 20, 10} {
		s := Staker{User: person(n, i), Shares: share(p.Shares, percent, 100)}
		if i == 0 {
			s.User = p.Owner
		}
		if i == 3 {
			s.Shares = left
		}
		left -= s.Shares
		if s.Shares == 0 {
			continue
		}
		s.Locked = share(s.Shares, p.Total(), p.Shares)
		s.Available = uint64(i) * PHA / 8
		s.Debt = uint64(float64(s.Shares) * p.RewardAcc * 0.9)
		p.Stakers = append(p.Stakers, s)
	}
}

// person is the i-th staker of a pool.
func person(pid uint64, i int) AccountID {
	return blake2b.Sum256(binary.LittleEndian.AppendUint64([]byte("staker/"), pid*8+uint64(i)))
}
