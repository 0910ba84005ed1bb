package wire

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"phalops/internal/sim/world"
)

// Image is one of the real images, as far as it can refuse to start: by its arguments, its environment and its files.
type Image struct {
	Role   string // see world.Roles
	Args   []string
	Getenv func(string) string
	Exists func(path string) bool
}

// RoleNamed is the role of a name that people use: the part that holds the transactions is called redis-q.
func RoleNamed(name string) (role string, ok bool) {
	if name == "redis-q" {
		name = "redis"
	}
	return name, slices.Contains(world.Roles(), name)
}

// secretOptions are followed by what must not leave the process.
var secretOptions = []string{"--mnemonic", "-m", "--inject-key", "--token"}

// args are its arguments without secrets.
func (i Image) args() []string {
	var out []string
	hide := false
	for _, a := range i.Args {
		name, _, joined := strings.Cut(a, "=")
		secret := slices.Contains(secretOptions, name)
		switch {
		case hide:
			a = "***"
		case secret && joined:
			a = name + "=***"
		case strings.HasPrefix(a, "-m") && i.Role == "pherry" && len(a) > 2:
			a = "-m***"
		}
		hide = secret && !joined && !hide
		out = append(out, a)
	}
	return out
}

// imageEnv are the variables that the world is told, because images read them. None is a secret: a pherry's MNEMONIC and
// EXTRA_OPTS stay where they are.
var imageEnv = []string{
	"NODE_NAME", "NODE_ROLE", "PARACHAIN", "RELAYCHAIN", "PARACHAIN_EXTRA_ARGS", "RELAYCHAIN_EXTRA_ARGS", "PARACHAIN_DB", "RELAYCHAIN_DB",
	"EXTRA_OPTS", "SGX", "ENABLE_KICK_API", "ROCKET_ADDRESS", "ROCKET_PORT", "SLEEP_BEFORE_START",
	"PRUNTIME_ENDPOINT", "PHALA_NODE_WS_ENDPOINT",
	"NODE_ENV", "PHALA_MODULE", "PHALA_DB_HOST", "PHALA_DB_PORT_BASE", "PHALA_DB_PREFIX", "PHALA_DB_TYPE", "PHALA_ENABLE_KEEP_ALIVE",
	"PHALA_PARENT_CHAIN_ENDPOINT", "PHALA_CHAIN_ENDPOINT", "PHALA_REDIS_ENDPOINT", "PHALA_Q_REDIS_ENDPOINT", "REDIS_ENDPOINT",
	"PHALA_PEER_ID_PREFIX", "PHALA_LOCAL_DB_PATH", "PHALA_WALKIE_LISTEN_ADDRESSES", "PHALA_WALKIE_BOOT_NODES", "PHALA_BRIDGE_IDENTITY",
	"PHALA_DATA_PROVIDER_LOCAL_SERVER", "PHALA_RUNNER_MAX_WORKER_NUMBER", "PHALA_LRU_CACHE_SIZE", "PHALA_LRU_CACHE_MAX_AGE",
	"PHALA_PRPC_REQUEST_TIMEOUT", "PHALA_BLOB_REQUEST_TIMEOUT", "PHALA_LIFECYCLE_CONFIG_MODE", "PHALA_SYNC_ONLY",
	"WORKER_KEEPALIVE_ENABLED", "WORKER_KEEPALIVE_TIMEOUT", "USE_BUILT_IN_TRADER", "PTP_BOOT_NODES", "PORT",
	"DB_PATH", "DATA_SOURCE_CONFIG_PATH", "MGMT_LISTEN_ADDRESSES", "RUST_LOG",
}

func (i Image) env() map[string]string {
	env := map[string]string{}
	for _, name := range imageEnv {
		if v := i.Getenv(name); v != "" && (name != "EXTRA_OPTS" || i.Role == "pruntime") {
			env[name] = v
		}
	}
	return env
}

// Death is how a real image refuses to start: what it says, and its exit code.
type Death struct {
	Says string
	Code int
}

// Check tells how the image would die of what it was given; nil when it would start.
func (i Image) Check() *Death {
	switch i.Role {
	case "node":
		return i.checkNode()
	case "prb":
		return i.checkBridge()
	case "pruntime":
		return i.checkPruntime()
	case "pherry":
		return unknownOption("pherry", i.Args, pherryOptions)
	case "headers-cache":
		return i.checkCache()
	case "wm":
		return i.checkManager()
	}
	return nil
}

// checkNode is the start script of the node images (khala-docker): a role is not optional.
func (i Image) checkNode() *Death {
	const values = "accept values (case sensitive): FULL | ARCHIVE | COLLATOR | MINER"
	switch role := i.Getenv("NODE_ROLE"); role {
	case "FULL", "ARCHIVE", "COLLATOR", "MINER":
		return nil
	case "":
		return &Death{"You must set NODE_ROLE env\n" + values, 1}
	default:
		return &Death{"Unknown NODE_ROLE " + role + "\n" + values, 1}
	}
}

// checkBridge is PRB v0 and v2 (runtime-bridge, src/index): the module is imported by its name, whatever that is.
func (i Image) checkBridge() *Death {
	module := i.Getenv("PHALA_MODULE")
	if slices.Contains([]string{"io", "io/inspect", "fetch", "lifecycle", "trade", "utils/arena", "data_provider"}, module) {
		return nil
	}
	if module == "" {
		module = "undefined"
	}
	return &Death{"Error [ERR_MODULE_NOT_FOUND]: Cannot find module './" + module + "': PHALA_MODULE names the part that this container is", 1}
}

// sgxDevices are the names that drivers gave to the device over the years.
var sgxDevices = []string{"/dev/sgx_enclave", "/dev/sgx/enclave", "/dev/isgx"}

func (i Image) checkPruntime() *Death {
	args := append(strings.Fields(i.Getenv("EXTRA_OPTS")), i.Args...)
	if d := unknownOption("pruntime", args, pruntimeOptions); d != nil {
		return d
	}
	if i.Getenv("SGX") != "0" && !slices.ContainsFunc(sgxDevices, i.Exists) {
		return &Death{"error: SGX_ERROR_NO_DEVICE: none of " + strings.Join(sgxDevices, ", ") + " is mapped into the container", 1}
	}
	return nil
}

func (i Image) checkCache() *Death {
	commands := []string{"serve", "grab", "import", "split", "merge", "inspect", "inspect-db", "reset"}
	if len(i.Args) > 0 && slices.Contains(commands, i.Args[0]) {
		return nil
	}
	return &Death{"Usage: headers-cache <COMMAND>\nCommands: " + strings.Join(commands, ", "), 2}
}

// checkManager is prb-wm (v3): both mistakes are panics.
func (i Image) checkManager() *Death {
	path := i.Getenv("DATA_SOURCE_CONFIG_PATH")
	if path == "" {
		path = "/var/data/prb-wm/ds.yml"
	}
	if !i.Exists(path) {
		return &Death{fmt.Sprintf("thread 'main' panicked: %s: No such file or directory (os error 2)", path), 101}
	}
	if addr := i.Getenv("MGMT_LISTEN_ADDRESSES"); addr != "" {
		if _, err := netip.ParseAddrPort(addr); err != nil {
			return &Death{fmt.Sprintf("thread 'main' panicked: MGMT_LISTEN_ADDRESSES: invalid socket address syntax: %q", addr), 101}
		}
	}
	return nil
}

// unknownOption finds a long option that a program has never had.
func unknownOption(program string, args, known []string) *Death {
	for _, a := range args {
		name, _, _ := strings.Cut(a, "=")
		if long, ok := strings.CutPrefix(name, "--"); ok && long != "" && !slices.Contains(known, long) {
			return &Death{fmt.Sprintf("error: unexpected argument '%s' found\n\nUsage: %s [OPTIONS]", name, program), 2}
		}
	}
	return nil
}

// Options of every version, see the reference: operators mix images and arguments of different years.
var (
	pherryOptions = []string{
		"attestation-provider", "auto-restart", "collator-ws-endpoint", "dev", "dev-wait-block-ms", "disable-sync-waiting-paraheaders", "fast-sync",
		"fetch-blocks", "headers-cache-uri", "help", "inject-key", "load-handover-proof", "longevity", "max-restart-retries",
		"max-sync-msgs-per-round", "mnemonic", "next-pruntime-endpoint", "no-bind", "no-init", "no-msg-submit", "no-register", "no-sync", "no-wait",
		"notify-endpoint", "operator", "parachain", "parachain-ws-endpoint", "pccs-timeout", "pccs-url", "prefer-genesis-at-block",
		"pruntime-endpoint", "relaychain-ws-endpoint", "remote-attestation", "restart-on-rpc-error-threshold", "start-header",
		"substrate-ws-endpoint", "sync-blocks", "tip", "to-block", "use-dev-key", "version",
	}
	pruntimeOptions = []string{
		"address", "allow-cors", "checkpoint-interval", "cores", "disable-checkpoint", "enable-kick-api", "help", "init-bench",
		"max-checkpoint-files", "no-rcu", "port", "public-port", "query-timeout", "ra-max-retries", "ra-timeout",
		"remove-corrupted-checkpoint", "request-handover-from", "safe-mode-level", "skip-corrupted-checkpoint", "version",
	}
)
