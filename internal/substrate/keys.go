package substrate

import "slices"

// keys are storage keys, with the JSON in which they are asked for.
type keys struct {
	raw  [][]byte
	text []byte // "0x…","0x…",
	at   []int  // where each key begins in text, and where the last one's comma ends
}

// fresh is no keys in the same memory, with room for n whose JSON is about size bytes.
func (k keys) fresh(n, size int) keys {
	clear(k.raw)
	return keys{slices.Grow(k.raw[:0], n), slices.Grow(k.text[:0], size), append(slices.Grow(k.at[:0], n+1), 0)}
}

// listKeys writes the JSON of keys.
func listKeys(raw [][]byte) keys {
	size := 0
	for _, k := range raw {
		size += 2*len(k) + len(`"0x",`)
	}
	all := keys{}.fresh(0, size)
	for _, k := range raw {
		all.text = append(appendHex(all.text, k), ',')
		all.at = append(all.at, len(all.text))
	}
	all.raw = raw
	return all
}

func (k keys) len() int { return len(k.raw) }

// part is the keys from one to before another one.
func (k keys) part(from, to int) keys { return keys{k.raw[from:to], k.text, k.at[from : to+1]} }

// json is key i in its quotes, nil when there are not so many.
func (k keys) json(i int) []byte {
	if i >= k.len() {
		return nil
	}
	return k.text[k.at[i] : k.at[i+1]-1]
}

// list is all of them, without brackets.
func (k keys) list() []byte {
	if k.len() == 0 {
		return nil
	}
	return k.text[k.at[0] : k.at[k.len()]-1]
}
