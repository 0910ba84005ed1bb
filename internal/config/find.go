package config

// Bridge finds a bridge, and the site that it belongs to, by its name.
func (c Config) Bridge(name string) (site Site, bridge Bridge, ok bool) {
	for _, s := range c.Sites {
		for _, b := range s.Bridges {
			if b.Name == name {
				return s, b, true
			}
		}
	}
	return Site{}, Bridge{}, false
}
