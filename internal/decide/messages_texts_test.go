package decide_test

import (
	"slices"
	"strings"
	"time"
)

// dispatchErrors are the names that the pallets give their errors, and what a node says of a transaction.
func dispatchErrors(wrap func(name string) string) []errorRow {
	var rows []errorRow
	for _, g := range []struct {
		names string
		hold  time.Duration
		want  string
	}{
		{"PRuntimeRejected PRuntimeNotFound InvalidConsensusVersion InvalidRuntimeInfo InvalidRuntimeInfoHash", 0, "person gen.error.tx.image worker.error.image"},
		{"GenesisBlockHashRejected GenesisBlockHashNotFound ParachainIdMismatch", 0, "person gen.error.tx.chain worker.error.other_chain"},
		{"InvalidIASSigningCert InvalidReport InvalidQuoteStatus BadIASReport OutdatedIASReport UnknownQuoteBodyFormat InvalidDCAPQuote UnsupportedAttestationType " +
			"NoneAttestationDisabled InvalidEndpointSigningTime", 0, "person gen.error.tx.attestation worker.error.attestation"},
		{"InsufficientStake TooMuchStake InadequateCapacity StakeExceedsCapacity InsufficientContribution InsufficientFreeStake CannotRestartWithLessStake " +
			"InternalErrorCannotStartWithExistingStake", 0, "person gen.error.tx.stake worker.error.stake"},
		{"UnauthorizedOperator UnauthorizedPoolOwner", 0, "person gen.error.tx.operator worker.error.operator"},
		{"WorkerInAnotherPool PoolDoesNotExist WorkersExceedLimit WorkerDoesNotExist DuplicateBoundSession DuplicateBoundWorker FailedToBindSessionAndWorker FeatureNotEnabled",
			0, "person gen.error.tx.pool worker.error.pool"},
		{"CoolDownNotReady WorkerAlreadyStopped", 0, "person gen.error.tx.cooling worker.error.cooling"},
		{"BenchmarkMissing BenchmarkTooLow WorkerNotReady WorkerIsNotReady InvalidBenchReport", 10 * m, "act gen.error.tx.benchmark worker.error.benchmark"},
		{"WorkerNotRegistered WorkerNotFound WorkerReregisterNeeded SessionNotFound SessionNotBound SessionDoesNotExist WorkerNotBound WorkerNotComputing",
			2 * m, "act gen.error.tx.registration worker.error.registration"},
		{"WorkerExists BadSequence", 2 * m, "act gen.error.tx.exists worker.error.exists"},
	} {
		for name := range strings.FieldsSeq(g.names) {
			rows = append(rows, errorRow{wrap(name), g.hold, g.want})
		}
	}
	return rows
}

// otherDispatchErrors are names that no operator can do anything about: one restart, then a person.
const otherDispatchErrors = "CannotHandleUnknownMessage InvalidSender InvalidPubKey MalformedSignature InvalidSignatureLength InvalidSignature UnknownContract InvalidInput " +
	"InvalidGatekeeper BadSender BadDestination InternalErrorBadTokenomicParameters SomethingNew"

// nodeRefusals are what a node says of a transaction that it does not take.
var nodeRefusals = []errorRow{
	{`Inability to pay some fees (e.g. account balance too low)`, 0, "person gen.error.tx.gas worker.error.gas"},
	{`1010: Invalid Transaction: Inability to pay some fees , e.g. account balance too low`, 0, "person gen.error.tx.gas worker.error.gas"},
	{`balances.InsufficientBalance`, 0, "person gen.error.tx.gas worker.error.gas"},
	{`1010: Invalid Transaction: Transaction is outdated`, 2 * m, "act gen.error.tx.nonce worker.error.nonce"},
	{`1014: Priority is too low: (1 vs 1): The transaction has too low priority to replace another transaction already in the pool.`, 2 * m, "act gen.error.tx.nonce worker.error.nonce"},
	{`1010: Invalid Transaction: Transaction has a bad signature`, 2 * m, "act gen.error.tx.signature worker.error.signature"},
	{`Invalid Metadata: magic number`, 0, "person gen.error.tx.metadata worker.error.metadata"},
	{`proxy.NotProxy`, 0, "person gen.error.tx.operator worker.error.operator"},
}

// pruntimeAnswers are what a pRuntime says instead of taking what it is given.
var pruntimeAnswers = []errorRow{
	{"BlockNumberMismatch", m, "act gen.error.block_number worker.error.block_number"},
	{"HeaderHashMismatch", 0, "person gen.error.validation worker.error.validation"},
	{"HeaderValidateFailed(x)", 0, "person gen.error.validation worker.error.validation"},
	{"StorageProofFailed(x)", 0, "person gen.error.validation worker.error.validation"},
	{"MissingJustification", 0, "person gen.error.validation worker.error.validation"},
	{"StateRootMismatch block=411243 expected=0x actual=0x", 0, "person gen.error.validation worker.error.validation"},
	{"Decode input parameter failed", 0, "person gen.error.validation worker.error.validation"},
	{"ChainModeMismatch", 0, "person gen.error.other_chain worker.error.other_chain"},
	{"Genesis block hash mismatches with saved keys, expected 0x", 0, "person gen.error.other_chain worker.error.other_chain"},
	{"Parachain id mismatches", 0, "person gen.error.other_chain worker.error.other_chain"},
	{"Loading different parachain state, loading=1, init=2", 0, "person gen.error.other_chain worker.error.other_chain"},
	{"NoStateRoot", 2 * m, "act gen.error.no_state worker.error.no_state"},
	{"RelaychainHeaderNotSynced", 2 * m, "act gen.error.no_state worker.error.no_state"},
	{"EmptyRequest", 2 * m, "act gen.error.no_state worker.error.no_state"},
	{"Runtime not initialized", m, "act gen.error.uninitialized worker.error.uninitialized"},
	{"Uninitiated runtime info", m, "act gen.error.uninitialized worker.error.uninitialized"},
	{"System is uninitialized", m, "act gen.error.uninitialized worker.error.uninitialized"},
	{"Runtime already initialized", m, "act gen.error.initialized worker.error.initialized"},
	{"RCU in progress, please try the request again later", 5 * m, "act gen.error.busy worker.error.busy"},
	{"This RPC is disabled in safe mode", 0, "person gen.error.safe_mode worker.error.safe_mode"},
	{"Checkpoint is disabled in safe mode", 0, "person gen.error.safe_mode worker.error.safe_mode"},
	{"Can not load storage proof when safe_mode_level < 2", 0, "person gen.error.safe_mode worker.error.safe_mode"},
	{"Can not load chain state", 0, "person gen.error.fast_sync worker.error.fast_sync"},
	{"Failed to load state: the worker is already registered at block 7", 0, "person gen.error.fast_sync worker.error.fast_sync"},
	{"CannotLoadStateAfterSyncing", 0, "person gen.error.fast_sync worker.error.fast_sync"},
	{"Failed to create attestation report: x", 0, "person gen.error.tx.attestation worker.error.attestation"},
	{"RA is disallowed when debug_set_key is enabled", 0, "person gen.error.attestation worker.error.attestation"},
	{"Unsupported attestation provider: epid", 0, "person gen.error.provider worker.error.provider"},
	{"This pRuntime is outdated. Please update to the latest version.", 0, "person gen.error.tx.image worker.error.image"},
	{"Not a gatekeeper", 0, "person gen.error.method worker.error.method"},
	{"Method Not Found", 0, "person gen.error.method worker.error.method"},
	{"Failed to load checkpoint: x", 0, "person gen.error.checkpoint worker.error.checkpoint"},
}

// wrapped puts each text into what the generation puts around it.
func wrapped(rows []errorRow, wrap func(text string) string) []errorRow {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].text = wrap(rows[i].text)
	}
	return rows
}

func pruntimeObject(message string) string {
	return `{"payload":{"message":"` + message + `"},"signature":"0x00","status":"error","isRuntimeReturnedError":true}`
}
