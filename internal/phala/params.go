package phala

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Params are the chain's own numbers for V and payouts (TokenomicParameters); docs/estimate.md says what they do.
type Params struct {
	PhaRate, Rho, BudgetPerBlock, VMax, CostK, CostB, SlashRate, TreasuryRatio Fixed
	HeartbeatWindow                                                            uint32 // blocks
	RigK, RigB, Re, K, Kappa                                                   Fixed
}

// Preset is a set of parameters that a chain once had.
type Preset struct {
	Name   string
	Params Params
	Shares *big.Rat // of all computing sessions at some block; nil: not known
	Capped bool     // a payout was at most what V had gathered
}

// BlockTime is the length of a block as the parameters mean it. Khala really took 13 to 22 s.
const BlockTime = 12 * time.Second

// GeminiBlock is where Khala began to pay in full; before, a payout was at most what V had gathered.
const GeminiBlock = 1_467_069

// texts of the presets, in the order of Params. Sources: genLaunchTransactions.js and pallets/phala/src/mining.rs (b5b17cf1d) of
// Phala-Network/phala-blockchain. Of Phala in 2023 only re, k and rig_k are known; its budget is a quarter of what the balancer then
// gave both chains, and the rest is Khala's.
func presets() map[string]string {
	return map[string]string{
		"khala-2021": "0.83 1.000000666600231 8.3333 30000 0.0000000190545 0.0000406162 0 0.2 20 0.361446 0 1.5 50 1",
		"khala-2022": "0.27 1.000000666600231 187.8783 30000 0.0000000237110 0.0000505419 0 0.2 20 0.449775 0 1.5 50 1",
		"phala-2023": "0.27 1.000000666600231 14.0625 30000 0.0000000237110 0.0000505419 0 0.2 20 1.11111111111111111111 0 1.5 50 1",
	}
}

// PresetNames are the names of the presets.
func PresetNames() []string { return slices.Sorted(maps.Keys(presets())) }

// PresetOf finds a preset by its name.
func PresetOf(name string) (Preset, bool) {
	text, ok := presets()[name]
	if !ok {
		return Preset{}, false
	}
	p := Preset{Name: name, Capped: name == "khala-2021"}
	words := strings.Fields(text)
	q := &p.Params
	for i, f := range []*Fixed{
		&q.PhaRate, &q.Rho, &q.BudgetPerBlock, &q.VMax, &q.CostK, &q.CostB, &q.SlashRate, &q.TreasuryRatio, nil, &q.RigK, &q.RigB, &q.Re, &q.K, &q.Kappa,
	} {
		var err error
		if f == nil {
			_, err = fmt.Sscan(words[i], &q.HeartbeatWindow)
		} else {
			*f, err = ParseFixed(words[i])
		}
		if err != nil {
			return Preset{}, false
		}
	}
	if name == "phala-2023" {
		p.Shares = big.NewRat(3348928881, 100) // at block 2,700,000
	}
	return p, true
}
