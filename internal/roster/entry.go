package roster

import "phalops/internal/fleet"

// Limits of a list. What is beyond them is refused as a whole.
const (
	MaxBytes   = 16 << 20 // of the file
	MaxLines   = 100_000  // of the file
	MaxEntries = 100_000  // after ranges are expanded
	MaxLine    = 4_096    // bytes of one line
)

// DefaultPort is where a pRuntime listens when a list gives no more than an address.
const DefaultPort = "8000"

// MaxPID is the largest number of a pool: v2 bridges keep it as a JavaScript number.
const MaxPID = 1<<53 - 1

// Form is the way in which a list is written.
type Form string

// Forms of a list. They are told apart by the list's first line that is neither blank nor a comment; docs/lists.md has the rules.
const (
	FormLines Form = "lines" // ip, pid:ip, pid:ip:name; v3's name, url, stake, pid; line by line
	FormTable Form = "table" // CSV with a header
	FormYAML  Form = "yaml"  // a list of texts or of mappings
)

// Entry is one worker of a list; a range stands for several. What its pointers and Labels point at may be shared with other
// entries: whoever changes one, replaces it.
type Entry struct {
	Line      int               // where it is written, from 1; 0: not from a list
	Name      string            // default: the endpoint's host, and its port where that is not DefaultPort
	Endpoint  string            // as Endpoint makes it: http://192.168.2.1:8000
	PID       *uint64           // 1 … MaxPID; nil: neither the line nor the options say
	Stake     *fleet.Amount     // nil: neither the line nor the options say
	Enabled   *bool             // nil: not said
	SyncOnly  *bool             // nil: not said
	Bridge    string            // the bridge that it must go to, "" = not said
	Labels    map[string]string // nil: none
	PublicKey string            // 64 hex digits without 0x; never read from a list: whoever asked the pRuntime fills it in for Place
}

// PoolEntry is one pool of a list.
type PoolEntry struct {
	Line     int    // where it is written, from 1; 0: not from a list
	PID      uint64 // 1 … MaxPID
	Name     string // default: the PID
	Operator string // reference to the operator's secret (env:, file:, age:, cred:), never the secret; "" = neither the line nor the options say
	Proxied  string // SS58 of the pool's owner, when the operator is its proxy; "" = it is none
	SyncOnly *bool  // nil: not said
	Bridge   string // the bridge that it must go to, "" = not said
}

// Options are what the command line says about every entry of a list that does not say it itself.
type Options struct {
	PID     *uint64       // --pool; a line that names another pool is a problem
	Stake   *fleet.Amount // --stake; a line's own stake counts
	NeedPID bool          // an entry without a pool is a problem

	NeedStake bool // an entry without a stake is a problem
}

// PoolOptions are what the command line says about every pool of a list that does not say it itself.
type PoolOptions struct {
	Operator string                 // one operator for all; a line's own operator counts
	Check    func(ref string) error // judges a reference to a secret, for example secret.Ref.Check; its error must not repeat ref. nil: only its scheme is judged
}

// List is a list of workers. With Problems, Entries are those without a problem: whoever was not told to skip what is bad
// accepts none of them.
type List struct {
	Form     Form
	Entries  []Entry // in the order of the list, ranges expanded; without two of one name or endpoint
	Problems Problems
}

// PoolList is a list of pools; see List.
type PoolList struct {
	Form     Form
	Entries  []PoolEntry // without two of one PID or name
	Problems Problems
}
