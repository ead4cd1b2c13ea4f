package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
)

// A choice is text of which only some values are known.
type choice interface{ choices() []string }

// Kind is the API a site speaks.
type Kind string

// The kinds of site.
const (
	ICWS Kind = "icws" // PureConnect
	HTCC Kind = "htcc" // Genesys Web Services
)

func (Kind) choices() []string { return []string{string(ICWS), string(HTCC)} }

// Dialect is a form of answers, named by the member that tells success.
type Dialect string

// The dialects. Empty means that of the prefix called.
const (
	DialectStatus     Dialect = "status"     // {"status":"ok"}
	DialectStatusCode Dialect = "statusCode" // {"statusCode":0}
)

func (Dialect) choices() []string {
	return []string{"", string(DialectStatus), string(DialectStatusCode)}
}

// Credentials is what becomes of a password once its session is open.
type Credentials string

// Kept passwords reopen an upstream session that was lost.
const (
	KeepCredentials   Credentials = "keep"
	ForgetCredentials Credentials = "forget"
)

func (Credentials) choices() []string {
	return []string{string(KeepCredentials), string(ForgetCredentials)}
}

// CSRF is what proves that a request with a cookie is meant by its agent.
type CSRF string

// A browser tells the origin of a request; a token is known only to pages that may read our answers.
const (
	CSRFByOrigin CSRF = "origin"
	CSRFByToken  CSRF = "token"
)

func (CSRF) choices() []string { return []string{string(CSRFByOrigin), string(CSRFByToken)} }

// Scope is whom one fetched catalogue serves.
type Scope string

// A shared catalogue serves all sessions of one site and language.
const (
	ScopeSession Scope = "session"
	ScopeShared  Scope = "shared"
)

func (Scope) choices() []string { return []string{string(ScopeSession), string(ScopeShared)} }

// Confirm is when a write is answered.
type Confirm string

// A write is accepted by the HTTP answer, and completed by a message that follows.
const (
	ConfirmAccepted  Confirm = "accepted"
	ConfirmCompleted Confirm = "completed"
)

func (Confirm) choices() []string {
	return []string{string(ConfirmAccepted), string(ConfirmCompleted)}
}

// AfterOutage is how channels come back when a new upstream session replaces a lost one.
type AfterOutage string

// Logged-out channels wait for an operation of their agent.
const (
	AfterOutageNotReady  AfterOutage = "not_ready"
	AfterOutageLoggedOut AfterOutage = "logged_out"
)

func (AfterOutage) choices() []string {
	return []string{string(AfterOutageNotReady), string(AfterOutageLoggedOut)}
}

// Watch is whose session receives the changes of an agent.
type Watch string

// A service session watches all agents of its site.
const (
	WatchAgent   Watch = "agent"
	WatchService Watch = "service"
)

func (Watch) choices() []string { return []string{string(WatchAgent), string(WatchService)} }

// Holding is how the agents' own sessions are kept alive while a service session watches the agents.
type Holding string

// A stream costs one connection for good, a heartbeat a call every so often.
const (
	HoldByStream    Holding = "stream"
	HoldByHeartbeat Holding = "heartbeat"
)

func (Holding) choices() []string { return []string{string(HoldByStream), string(HoldByHeartbeat)} }

// StoreKind is where sessions are kept.
type StoreKind string

// A store in memory is this process's alone; Valkey, or Redis, is shared by replicas.
const (
	StoreMemory StoreKind = "memory"
	StoreValkey StoreKind = "valkey"
)

func (StoreKind) choices() []string { return []string{string(StoreMemory), string(StoreValkey)} }

// AtEnd is what EndContactCenterSession does with workgroup activations.
type AtEnd string

// Restored activations are as they were at log-in.
const (
	AtEndKeep    AtEnd = "keep"
	AtEndRestore AtEnd = "restore"
)

func (AtEnd) choices() []string { return []string{string(AtEndKeep), string(AtEndRestore)} }

// LogLevel is debug, info, warn or error. It is a slog.Leveler.
type LogLevel string

func (LogLevel) choices() []string { return []string{"debug", "info", "warn", "error"} }

// Level returns the level as slog counts it.
func (l LogLevel) Level() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l)); err != nil {
		return slog.LevelInfo // the zero value
	}
	return level
}

// Count is a number of things.
type Count int64

// parseCount reads a whole number.
func parseCount(text string) (Count, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return Count(n), err
}

// Bytes is a size in bytes.
type Bytes int64

// units are tried in this order: B ends all the others.
var units = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
	{"B", 1},
}

var errSize = errors.New("want a whole number with B, KiB, MiB, GiB, KB, MB or GB, such as 64MiB")

// parseBytes reads a whole number and a unit, in capitals or not; without a unit it is bytes.
func parseBytes(text string) (Bytes, error) {
	number, factor := text, int64(1)
	for _, unit := range units {
		head := len(text) - len(unit.name)
		if head > 0 && strings.EqualFold(text[head:], unit.name) {
			number, factor = strings.TrimRight(text[:head], " "), unit.bytes
			break
		}
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/factor {
		return 0, errSize
	}
	return Bytes(int64(n) * factor), nil
}

// String writes b in the largest binary unit that divides it.
func (b Bytes) String() string {
	for _, unit := range []string{"GiB", "MiB", "KiB"} {
		for _, known := range units {
			if known.name == unit && b != 0 && int64(b)%known.bytes == 0 {
				return fmt.Sprint(int64(b)/known.bytes, unit)
			}
		}
	}
	return fmt.Sprint(int64(b), "B")
}
