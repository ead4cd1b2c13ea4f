package config

import (
	"cmp"
	"regexp"
	"strings"
	"time"
)

// hostMark stands for a host's name in a URL template.
const hostMark = "{host}"

// Site is one upstream contact centre. Fields marked only:"icws" stay at their zero value on an
// htcc site; on an icws site Load has filled their defaults in.
type Site struct {
	// Name is the site's key in the settings.
	Name string `yaml:"-"`
	// Kind is the API the site speaks. Required.
	Kind Kind `yaml:"kind"`
	// URLs are base URLs, one for each host, in order of preference. Either they or URL.
	URLs []string `yaml:"urls"`
	// URL is one base URL, in which {host} stands for each of Hosts.
	URL   string   `yaml:"url"`
	Hosts []string `yaml:"hosts"`
	// Timeout is the deadline of one upstream call. Default 10s.
	Timeout time.Duration `yaml:"timeout" min:"1ms" max:"10m"`
	// Calls, Breaker and Logins bound what the site is asked, and TLS says who is trusted to be it.
	Calls   Calls   `yaml:"calls"`
	Breaker Breaker `yaml:"breaker"`
	Logins  Pace    `yaml:"logins"`
	TLS     SiteTLS `yaml:"tls"`
	// TraceContext says whether the site is told which trace a call belongs to. Default send.
	TraceContext TraceContext `yaml:"trace_context"`

	// Alternates are patterns of host names that the site may send us to, apart from its own
	// hosts; a * never matches a dot. Default none.
	Alternates []string `yaml:"alternates" only:"icws"`
	// Application is the applicationName given at log-in. Default "Portico".
	Application string `yaml:"application" only:"icws"`
	// Marketplace is the licence given at log-in, where the site asks for one.
	Marketplace Marketplace `yaml:"marketplace" only:"icws"`
	// Language is that of sessions whose application names none. Default "en-us".
	Language string `yaml:"language" only:"icws"`
	// Channels are what the site gives an agent, by media type. Default voice alone.
	Channels map[string]Channel `yaml:"channels" key:"channel" only:"icws"`
	// Statuses name the status ids that carry out operations.
	Statuses Statuses `yaml:"statuses" only:"icws"`
	// Activations is about workgroup activations.
	Activations Activations `yaml:"activations" only:"icws"`
	// Confirm is when a write is answered. Default accepted.
	Confirm Confirm `yaml:"confirm" only:"icws"`
	// AfterOutage is how channels come back after an outage. Default not_ready.
	AfterOutage AfterOutage `yaml:"after_outage" only:"icws"`
	// Watch is whose session receives an agent's changes. Default agent.
	Watch Watch `yaml:"watch" only:"icws"`
	// Service is the user whose session watches all agents, with watch: service.
	Service Service `yaml:"service" only:"icws"`
	// Upgrades passes requests for another protocol, such as WebSocket, through. Default false.
	Upgrades bool `yaml:"upgrades" only:"htcc"`
	// PassthroughTimeout is how long the site may be silent while a request that is passed through
	// waits for it. Default 1m.
	PassthroughTimeout time.Duration `yaml:"passthrough_timeout" only:"htcc" min:"1ms" max:"24h"`
	// Native passes /icws on to this site; at most one site. Default false.
	Native bool `yaml:"native" only:"icws"`
}

// Marketplace is a licence of the vendor's marketplace: both parts, or neither.
type Marketplace struct {
	LicenseName string `yaml:"license_name"`
	// CodeFile is a file holding the code, relative to the settings file.
	CodeFile string `yaml:"code_file"`
	// Code is what CodeFile or the environment held.
	Code Secret `yaml:"code"`
}

// Channel is one media type of a site.
type Channel struct {
	// Workgroups are those whose activation makes the channel Ready. Without any the channel
	// follows the agent's status alone.
	Workgroups []string `yaml:"workgroups"`
}

// Statuses are status ids of an ICWS site. An empty one is found by the flags of the site's
// status messages; AuxWork is not offered without one.
type Statuses struct {
	Ready         string `yaml:"ready"`
	NotReady      string `yaml:"not_ready"`
	DoNotDisturb  string `yaml:"do_not_disturb"`
	AfterCallWork string `yaml:"after_call_work"`
	AuxWork       string `yaml:"aux_work"`
	// AtStart is set by the first StartContactCenterSession of a session. Default none.
	AtStart string `yaml:"at_start"`
	// AtEnd is set by EndContactCenterSession on an ACD status; KeepStatus leaves that as it is.
	// Default: plain not-ready.
	AtEnd string `yaml:"at_end"`
}

// KeepStatus as Statuses.AtEnd leaves the status as it is.
const KeepStatus = "keep"

// Activations says what becomes of workgroup activations.
type Activations struct {
	// AtEnd is what EndContactCenterSession does with them. Default keep.
	AtEnd AtEnd `yaml:"at_end"`
}

// Service is a user of the site that is no agent.
type Service struct {
	User string `yaml:"user"`
	// PasswordFile is a file holding the password, relative to the settings file.
	PasswordFile string `yaml:"password_file"`
	// Password is what PasswordFile or the environment held.
	Password Secret `yaml:"password"`
	// Hold is how the agents' own sessions are kept alive. Default stream.
	Hold Holding `yaml:"hold"`
	// KeepAlive is how often the agents' own sessions are told to live that no stream is held for.
	// Default 1m30s.
	KeepAlive time.Duration `yaml:"keep_alive" min:"1s" max:"1h"`
}

// complete fills in what a site of this kind has by default.
func (s *Site) complete(name string) {
	s.Name = name
	s.Timeout = cmp.Or(s.Timeout, 10*time.Second)
	s.completeCalls()
	s.completeTraces()
	if s.Kind == HTCC {
		s.PassthroughTimeout = cmp.Or(s.PassthroughTimeout, time.Minute)
	}
	if s.Kind != ICWS {
		return
	}
	s.Application = cmp.Or(s.Application, "Portico")
	s.Language = cmp.Or(s.Language, "en-us")
	s.Activations.AtEnd = cmp.Or(s.Activations.AtEnd, AtEndKeep)
	s.Confirm = cmp.Or(s.Confirm, ConfirmAccepted)
	s.AfterOutage = cmp.Or(s.AfterOutage, AfterOutageNotReady)
	s.Watch = cmp.Or(s.Watch, WatchAgent)
	s.Service.Hold = cmp.Or(s.Service.Hold, HoldByStream)
	s.Service.KeepAlive = cmp.Or(s.Service.KeepAlive, 90*time.Second)
	if len(s.Channels) == 0 {
		s.Channels = map[string]Channel{"voice": {}}
	}
}

// Bases returns the site's base URLs without a trailing slash, one for each host, in order of
// preference.
func (s Site) Bases() []string {
	var bases []string
	for _, template := range s.templates() {
		if !strings.Contains(template, hostMark) {
			bases = append(bases, expand(template, ""))
			continue
		}
		for _, host := range s.Hosts {
			bases = append(bases, expand(template, host))
		}
	}
	return bases
}

// hostName is a name or IPv4 address, without a port.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$`)

func (s Site) templates() []string {
	if s.URL != "" {
		return []string{s.URL}
	}
	return s.URLs
}

func expand(template, host string) string {
	return strings.TrimRight(strings.ReplaceAll(template, hostMark, host), "/")
}
