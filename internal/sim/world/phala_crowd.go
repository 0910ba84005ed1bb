package world

import (
	"encoding/binary"
	"time"

	"golang.org/x/crypto/blake2b"
)

// crowdPerPool is how many of the crowd's workers there are for each of its pools; every second pool has none.
const crowdPerPool = 8

// CrowdPools is how many pools the crowd has.
func (s *ChainState) CrowdPools() int {
	if s.Network.Crowd == 0 {
		return 0
	}
	return s.Network.Crowd/crowdPerPool + 2
}

// CrowdPID is the number of the crowd's i-th pool: 0, 1, 2, …, without those that a default fleet uses.
func (s *ChainState) CrowdPID(i int) uint64 {
	if i < fleetPIDs {
		return uint64(i)
	}
	return uint64(i - fleetPIDs + fleetPIDsEnd)
}

// The pools of a default fleet have numbers between these.
const fleetPIDs, fleetPIDsEnd = 80, 100

// mix is a number by chance that is always the same.
func mix(what string, n uint64) uint64 {
	sum := blake2b.Sum256(binary.LittleEndian.AppendUint64([]byte(what), n))
	return binary.LittleEndian.Uint64(sum[:])
}

// CrowdKey is the public key of the crowd's i-th worker.
func (s *ChainState) CrowdKey(i int) [32]byte {
	return blake2b.Sum256(binary.LittleEndian.AppendUint64([]byte("crowd/"+s.Network.Name+"/"), uint64(i)))
}

// crowdPool is which of the crowd's pools has its i-th worker.
func (s *ChainState) crowdPool(i int) int { return i % ((s.CrowdPools() + 1) / 2) * 2 }

func (s *ChainState) crowdOwner(pool int) AccountID { return person(s.CrowdPID(pool), 0) }

// CrowdMined is the session of the crowd's i-th worker. Who is Ready or cools down is so forever; who is unresponsive changes by the
// hour, and a worker of the crowd that comes back has lost nothing.
func (s *ChainState) CrowdMined(i int, key [32]byte) *Mined {
	luck := mix("luck", uint64(i))
	confidence, power := crowdConfidence(luck), crowdPower(luck)
	stake, ve := staked(power, confidence, float64(luck>>20&0xff)/255)
	begun := s.Network.born.Add(-time.Duration(20+luck>>28&0xff) * 24 * time.Hour)
	state, t := s.crowdState(luck)
	age := t.Sub(begun).Hours() / 24
	m := &Mined{PID: s.CrowdPID(s.crowdPool(i)), Bound: true, Stake: stake, Session: Session{
		State: state, Ve: ve, V: grown(ve, age), UpdatedAt: t.Truncate(challengeEvery), PInit: power,
		PInstant: power - power*(luck>>40&0x3f)/256, Iterations: uint64(age*86400) * power / 6, WorkingStart: begun,
		ChallengeLast: t.Truncate(challengeEvery), TotalReward: uint64(age * ve / 5000 * PHA),
	}}
	m.Account = SessionAccount(m.PID, key)
	switch state {
	case "Ready":
		m.Stake, m.Bound = 0, luck>>50%4 != 0
	case "WorkerCoolingDown":
		m.CoolDownStart = t
	}
	return m
}

func crowdPower(luck uint64) uint64     { return 300 + luck>>8&0xfff*3600/4096 }
func crowdConfidence(luck uint64) uint8 { return uint8(1 + luck%5) }

// crowdState is a state and until when the worker has earned.
func (s *ChainState) crowdState(luck uint64) (state string, t time.Time) {
	stopped := s.Network.born.Add(-time.Duration(1+luck>>50%120) * time.Hour) // at most five days ago
	switch p := luck >> 56; {
	case p < 20:
		return "Ready", stopped
	case p < 24:
		return "WorkerCoolingDown", stopped
	case p < 50:
		return "WorkerUnresponsive", stopped
	}
	if hour := s.At.Truncate(time.Hour); (luck>>30+uint64(hour.Unix()/3600))%200 == 0 {
		return "WorkerUnresponsive", hour
	}
	return "WorkerIdle", s.At
}

// CrowdRegistered is what the registry has of the crowd's i-th worker.
func (s *ChainState) CrowdRegistered(i int, key [32]byte) Registered {
	luck := mix("luck", uint64(i))
	days := int64(20 + luck>>28&0xff)
	return Registered{PublicKey: key, Operator: s.crowdOwner(s.crowdPool(i)), RuntimeVersion: 2_000_000 + uint32(luck%2),
		LastUpdated: s.Network.born.Add(-time.Duration(days) * 24 * time.Hour), AddedAt: max(1, s.Network.Para.base-days*7200),
		Confidence: crowdConfidence(luck), Score: uint32(crowdPower(luck)), Features: []uint32{uint32(2 << (luck >> 4 % 5)), uint32(1 + luck%3)}}
}

// CrowdWorker is the crowd's i-th worker.
func (s *ChainState) CrowdWorker(i int) ChainWorker {
	key := s.CrowdKey(i)
	return ChainWorker{Registered: s.CrowdRegistered(i, key), Mined: s.CrowdMined(i, key)}
}

// CrowdPool is the crowd's i-th pool.
func (s *ChainState) CrowdPool(i int) ChainPool {
	p := ChainPool{PID: s.CrowdPID(i), Owner: s.crowdOwner(i)}
	var members []*ChainWorker
	if i%2 == 0 {
		for n := i / 2; n < s.Network.Crowd; n += (s.CrowdPools() + 1) / 2 {
			if w := s.CrowdWorker(n); w.Mined.Bound {
				members = append(members, &w)
			}
		}
	}
	p.fill(s.Network.Era, members, s.Network.born, s.At)
	return p
}

// Online is how many workers compute, whether they are responsive or not.
func (s *ChainState) Online() (n uint32) {
	computes := func(state string) {
		if state == "WorkerIdle" || state == "WorkerUnresponsive" {
			n++
		}
	}
	for _, w := range s.Workers {
		if w.Mined != nil {
			computes(w.Mined.State)
		}
	}
	for i := range s.Network.Crowd {
		state, _ := s.crowdState(mix("luck", uint64(i)))
		computes(state)
	}
	return n
}
