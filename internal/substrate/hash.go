package substrate

import (
	"context"
	"encoding/hex"
)

// StorageHash is the hash of what is stored under a key after a block, "" for nothing: a way to notice large values without
// reading them.
func (c *Client) StorageHash(ctx context.Context, key []byte, hash string) (string, error) {
	var out *string
	if err := c.Call(ctx, &out, "state_getStorageHash", append([]any{"0x" + hex.EncodeToString(key)}, at(hash)...)...); err != nil {
		return "", stateOf(hash, err)
	}
	if out == nil {
		return "", nil
	}
	return *out, nil
}
