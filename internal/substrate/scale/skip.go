package scale

// skip passes over a value. What it holds is not judged where its size is known.
func (t *Type) skip(c *cursor) {
	if !c.enter() {
		return
	}
	defer c.leave()
	if t.size >= 0 {
		c.take(t.size)
		return
	}
	switch t.shape {
	case shapeTuple, shapeStruct:
		for _, f := range t.fields {
			if f.typ.skip(c); c.err != nil {
				c.within(f.name)
				return
			}
		}
	case shapeEnum:
		if v := t.pick(c); v != nil {
			v.body.skip(c)
		}
	case shapeOption:
		if c.bool() {
			t.elem.skip(c)
		}
	case shapeList:
		t.skipItems(c, c.count(t.elem.least))
	case shapeArray:
		t.skipItems(c, t.length)
	case shapeBytes, shapeText:
		c.bytes()
	case shapeCompact:
		c.compactOf(t.elem.compacted().length)
	case shapeBits:
		t.bits(c)
	default:
		c.era()
	}
}

func (t *Type) skipItems(c *cursor, n int) {
	if size := t.elem.size; size >= 0 {
		if size > 0 && n > len(c.b)/size {
			c.fail(ErrShort)
			return
		}
		c.take(n * size)
		return
	}
	for range n {
		if c.err != nil {
			return
		}
		t.elem.skip(c)
	}
}
