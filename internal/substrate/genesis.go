package substrate

import "context"

// Genesis is the hash of the chain's first block, which tells chains apart whatever they call themselves.
func (c *Client) Genesis(ctx context.Context) (string, error) {
	const method = "chain_getBlockHash"
	var hash *string
	if err := c.Call(ctx, &hash, method, 0); err != nil {
		return "", err
	}
	if hash == nil || *hash == "" {
		return "", badReply(method, 200, "no hash of block 0")
	}
	return *hash, nil
}
