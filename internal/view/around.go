package view

import (
	"time"

	"phalops/internal/fleet"
)

// Disk is the file system of a node's chain data. Sizes are in bytes.
type Disk struct {
	Path     string     `json:"path"`
	Mount    string     `json:"mount,omitempty"`
	Free     *uint64    `json:"free"` // null: unknown
	Total    *uint64    `json:"total"`
	Answered *time.Time `json:"answered,omitempty"` // when the host last told
	Silent   *Reason    `json:"silent,omitempty"`   // why it does not tell now
}

// LogSign is a line of a log and what it means: no_space, corrupt, justification, clock, role, crash, port, files, memory.
type LogSign struct {
	Sign string `json:"sign"`
	Line string `json:"line"`
}

// Cache is a headers cache. A height is null where it does not collect that or does not tell.
type Cache struct {
	Name           string     `json:"name"`
	URL            string     `json:"url"`
	Header         *int64     `json:"header"` // relay chain
	MovedAt        *time.Time `json:"moved_at,omitempty"`
	ParaHeader     *int64     `json:"para_header"`
	StorageChanges *int64     `json:"storage_changes"`
	Answered       *time.Time `json:"answered,omitempty"`
	Silent         *Reason    `json:"silent,omitempty"`
}

// around adds what surrounds a node.
func (w Words) around(n fleet.NodeStatus, out *Node) {
	if d := n.Disk; d != nil {
		out.Disk = &Disk{Path: d.Path, Mount: d.Mount, Answered: moment(d.At)}
		if d.Total > 0 {
			out.Disk.Free, out.Disk.Total = &d.Free, &d.Total
		}
		if d.Missed > 0 {
			out.Disk.Silent = w.reason(d.Cause)
		}
	}
	if n.Log != nil {
		for _, s := range n.Log.Signs {
			out.Log = append(out.Log, LogSign{s.Sign, s.Line})
		}
	}
	for _, c := range n.Caches {
		v := Cache{Name: c.Name, URL: c.URL, Header: height(c.Header), MovedAt: moment(c.Header.MovedAt), ParaHeader: height(c.ParaHeader),
			StorageChanges: height(c.StorageChanges), Answered: moment(c.At)}
		if c.Missed > 0 {
			v.Silent = w.reason(c.Cause)
		}
		out.Caches = append(out.Caches, v)
	}
}
