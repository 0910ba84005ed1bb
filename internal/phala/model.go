package phala

import (
	"time"

	"phalops/internal/fleet"
)

// State is what Phala's pallets store after one block.
type State struct {
	Era    Era
	Now    time.Time // the block's own
	Relay  uint32    // relay chain block that it was built on; 0: not told
	Prefix uint16    // network number of addresses
	Whole  bool      // all of the chain, not only some pools
	lean   bool      // see Want
	Params Params
	Online uint32        // sessions that are computing or unresponsive; the chain challenges so many
	Grace  time.Duration // from a withdrawal to the forced stop of a pool's workers
	Cool   time.Duration // from the stop of a worker until its stake can be reclaimed (CoolDownPeriod)

	MaxWorkers uint32 // that a pool may have

	Sessions []*Session // by account
	Workers  []*Worker  // of the registry, by key
	Pools    []*Pool    // by number; vaults too
	Stakers  []Staker   // first era only, and only of the whole chain; ReadStakers reads them of both eras
	Claims   []Claim    // second era: of the owners of the pools, and of everybody of the whole chain
	Checks   []Check    // what was joined against what the chain itself has bound
}

// SessionState is a session's state, by one name for both eras.
type SessionState string

// The states. A worker that no session was ever made for is Unknown.
const (
	Unknown      SessionState = "Unknown"
	Ready        SessionState = "Ready"
	Idle         SessionState = "Idle" // computing
	Unresponsive SessionState = "Unresponsive"
	CoolingDown  SessionState = "CoolingDown"
)

// States in the order in which they are listed.
func States() []SessionState { return []SessionState{Idle, Unresponsive, CoolingDown, Ready, Unknown} }

// Session is the account of a pool's worker with what was computed under it. Sessions of workers that have left their pool stay on
// the chain for ever.
type Session struct {
	Account  Account
	Recorded bool         // the chain has a record of it; without one, everything from State to Reward is empty
	State    SessionState // by our name
	ByChain  string       // by the era's

	V, Ve        Fixed // in PHA; those of Ready sessions are old values
	PInit        uint32
	PInstant     uint32 // stale when unresponsive; 0 or 1 at the first heartbeat after a bind
	Iterations   uint64
	Added        time.Time // bound to its pool, not started
	ChallengedAt time.Time // the last heartbeat that was asked for
	VUpdated     time.Time
	CoolingSince time.Time
	Reward       fleet.Amount // since Added

	Stake  fleet.Amount
	Staked bool // there is a stake, were it 0
	Worker *Worker
	Pool   *Pool // that its worker is in; nil: none any more
	Was    uint64
	Bound  bool // the chain has bound its worker to it

	bound Key // with Bound: the one that the chain has bound
}

// Worker is a registered worker; one that is only in a pool or bound, but not in the registry, has Registered false.
type Worker struct {
	Key        Key
	Registered bool
	Runtime    uint32    // version of the pRuntime that registered
	Updated    time.Time // registered again
	Operator   Account   // zero: none
	Confidence uint8     // 1 best … 5 worst; 128: no attestation
	Score      uint32    // 0: never measured
	Cores      uint32    // 0: not told
	CPULevel   uint32    // 1 base, 2 AVX2, 3 AVX2 and AVX-512; 0: not told
}

// PoolKind tells stake pools from vaults.
type PoolKind string

// The kinds.
const (
	StakePool PoolKind = "StakePool"
	Vault     PoolKind = "Vault"
)

// Pool is a stake pool, or a vault, which stakes in pools.
type Pool struct {
	ID         uint64
	Kind       PoolKind
	Owner      Account
	OwnerGas   fleet.Amount  // what the owner can pay fees with
	Commission uint32        // millionths; a vault's is of profits
	Cap        *fleet.Amount // nil: none, or a vault

	Value     fleet.Amount // total stake; of the second era, with rewards
	Shares    fleet.Amount
	Free      fleet.Amount
	Used      fleet.Amount // staked on workers; of vaults, in pools
	Releasing fleet.Amount // of workers that cool down; of vaults, what waits in the queues of pools

	OwnerReward fleet.Amount // unclaimed
	Claimable   fleet.Amount // of the second era: the owner's Claims
	PerShare    Fixed        // first era: reward per share since the pool began

	Workers []Key
	Cooling []Key // second era
	Queue   []Withdrawal
	Due     bool      // the next check stops all workers for the sake of the queue; of a vault, it takes all its stake out of its pools
	DueAt   time.Time // when that will be, unless stake comes free; zero: nothing waits that asks for it
	Locked  bool      // a vault whose stake is being taken out already: its owner can do nothing until the queue is empty

	Invests     []uint64     // of a vault
	OwnerShares fleet.Amount // of a vault
	Checkpoint  fleet.Amount // of a vault: share price after the owner's last gain

	Sessions []*Session // of Workers, in their order

	cid                     uint32
	account, reward, locked Account // second era
}

// Withdrawal waits in a pool's queue for stake to come free.
type Withdrawal struct {
	User   Account
	Shares fleet.Amount
	Amount fleet.Amount // at the present price of a share
	Start  time.Time
	NFT    *uint32 // second era
}

// Staker is somebody's stake in a pool.
type Staker struct {
	Pool      uint64
	User      Account
	Told      bool // the chain says how many shares; of the second era that is known only where it keeps its NFTs
	Shares    fleet.Amount
	Value     fleet.Amount // of the shares, at their present price
	Queued    fleet.Amount // shares that wait in the pool's queue: of the first era part of Shares, of the second beside them
	Locked    fleet.Amount // what was paid in; of the second era what the account has locked by votes, over all pools
	Available fleet.Amount // first era: rewards that were settled
	Debt      fleet.Amount // first era
	Pending   fleet.Amount // first era: rewards that were not settled yet
	Claimable fleet.Amount // second era: see Claim
}

// Claim is what somebody can claim of a pool besides its shares: rewards that the migration to the second era had missed, and
// reimbursements.
type Claim struct {
	User   Account
	Pool   uint64
	Amount fleet.Amount
}

// Check is a comparison of what was derived with what the chain says.
type Check struct {
	What   string // bindings | assignments | pool accounts | pool values
	Agreed int
	Odd    []string // what does not agree, at most 20
	Count  int      // of all that does not agree
}

const maxOdd = 20

func (c *Check) see(agrees bool, what func() string) {
	switch {
	case agrees:
		c.Agreed++
	default:
		if c.Count++; len(c.Odd) < maxOdd {
			c.Odd = append(c.Odd, what())
		}
	}
}

// Remaining is the room below the cap; over: it is exceeded by so much. ok is false without a cap.
func (p *Pool) Remaining() (room fleet.Amount, over, ok bool) {
	if p.Cap == nil {
		return room, false, false
	}
	if p.Value.Cmp(*p.Cap) > 0 {
		return p.Value.Minus(*p.Cap), true, true
	}
	return p.Cap.Minus(p.Value), false, true
}

// Queued is what waits in the queue.
func (p *Pool) Queued() fleet.Amount {
	var total sum
	for _, w := range p.Queue {
		total.amount(w.Amount)
	}
	return total.total()
}

// Pool finds a pool by its number, nil: none, or not read.
func (s *State) Pool(id uint64) *Pool {
	for _, p := range s.Pools {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Worker finds a worker by its key, nil: none, or not read.
func (s *State) Worker(k Key) *Worker {
	for _, w := range s.Workers {
		if w.Key == k {
			return w
		}
	}
	return nil
}
