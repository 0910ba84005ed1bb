package phala

import (
	"context"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
)

// BlockBefore finds the last block that is not later than t, below the block of height newest, by the blocks' own times: about
// twice 25 requests. A node without the states on the way (it needs an archive) is ErrNoState; a chain that began later than t fails
// with the reason phala.too_young.
func BlockBefore(ctx context.Context, c *substrate.Client, md *scale.Metadata, newest uint64, t time.Time) (hash string, err error) {
	e, err := md.Entry("Timestamp", "Now")
	if err != nil {
		return "", err
	}
	early := func(height uint64) (bool, error) {
		hash, err := c.BlockHash(ctx, height)
		if err != nil {
			return false, err
		}
		ms, _, err := substrate.One[uint64](ctx, c.Snapshot(hash, substrate.SnapshotOptions{}), e)
		return !time.UnixMilli(int64(min(ms, 1<<52))).After(t), err
	}
	low, high := newest, newest // low will be early, high is late
	for step := uint64(1); ; step *= 2 {
		if low == 0 {
			return "", fleet.Fail(fleet.NotFound, fleet.Because("phala.too_young", "time", t))
		}
		high, low = low, low-min(step, low)
		found, err := early(low)
		if err != nil {
			return "", err
		}
		if found {
			break
		}
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		found, err := early(middle)
		switch {
		case err != nil:
			return "", err
		case found:
			low = middle
		default:
			high = middle
		}
	}
	return c.BlockHash(ctx, low)
}
