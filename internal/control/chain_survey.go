package control

import (
	"context"

	"phalops/internal/fleet"
	"phalops/internal/observe"
)

// SurveyChains reads what the chain of every network says of what is ours, once, whether or not a daemon would read it. Nodes and
// bridges must have been looked at. A network that cannot be read keeps the view of an earlier time, silent since now. Nothing is
// written down.
func (c *Control) SurveyChains(ctx context.Context) error {
	from, ok := c.clients.(ledgers)
	if !ok {
		return nil
	}
	cfg := c.config()
	for network := range cfg.Networks {
		if len(sitesOf(cfg, network)) == 0 {
			continue
		}
		h, err := c.chainHistory(ctx, network, c.clock.Now())
		if err != nil {
			return err
		}
		if cause := c.surveyChain(ctx, network, from, &h); !cause.IsZero() {
			h.Silent(network, c.clock.Now(), cause)
		}
		c.board.setChain(network, h.View)
	}
	return nil
}

// surveyChain adds what the first source that answers says of ours; cause is why the last one did not.
func (c *Control) surveyChain(ctx context.Context, network string, from ledgers, h *observe.LedgerHistory) (cause fleet.Reason) {
	ask := c.chainAsk(network)
	ask.Whole, ask.Others = false, false
	urls, _ := c.chainSources(network)
	cause = fleet.Because("control.no_chain_source", "network", network)
	for _, url := range urls {
		reading, err := readLedger(ctx, from.Ledger(url), ask)
		if err == nil {
			_, err = h.Add(reading, c.clock.Now())
		}
		if err == nil {
			return fleet.Reason{}
		}
		cause = fleet.ReasonOf(err)
	}
	return cause
}
