package config

import (
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// nameForm is that of site and channel names: they stand in metrics, paths and variables.
var nameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,31}$`)

const nameHint = "use up to 32 letters, digits, - and _, a letter first"

func (c *Config) checkSites(v *verdict) {
	if len(c.Sites) == 0 {
		v.fault("sites", "there are none; name at least one contact centre, with its kind and urls")
	}
	var native string
	for _, name := range sorted(c.Sites) {
		site, path := c.Sites[name], join("sites", name)
		if !nameForm.MatchString(name) {
			v.fault(path, "%q cannot be a site's name; %s", name, nameHint)
		}
		if site.Kind == "" {
			v.fault(join(path, "kind"), "is missing; want icws or htcc")
		}
		site.checkURLs(path, v)
		c.checkOthers(site, path, v)
		site.TLS.check(join(path, "tls"), v)
		if site.Kind == HTCC {
			site.refuseKeysOf(ICWS, path, v)
			continue
		}
		site.refuseKeysOf(HTCC, path, v)
		site.checkICWS(path, v)
		if site.Native && native != "" {
			v.fault(join(path, "native"), "%q is native already; /icws leads to one site", native)
		}
		if site.Native {
			native = name
		}
	}
}

// refuseKeysOf adds a fault for each key that only sites of another kind have a use for.
func (s Site) refuseKeysOf(kind Kind, path string, v *verdict) {
	for _, f := range fieldsOf(reflect.TypeFor[Site]()) {
		if below := join(path, f.name); f.Tag.Get("only") == string(kind) && v.given(below) {
			v.fault(below, "is for %s sites only; leave it out for an %s site", kind, s.Kind)
		}
	}
}

// checkICWS is about the keys that only an icws site has.
func (s Site) checkICWS(path string, v *verdict) {
	s.checkAlternates(join(path, "alternates"), v)
	s.checkLanguage(join(path, "language"), v)
	s.checkChannels(join(path, "channels"), v)
	s.checkStatuses(join(path, "statuses"), v)
	s.checkMarketplace(join(path, "marketplace"), v)
	s.checkService(join(path, "service"), v)
}

// checkURLs is about urls, url and hosts together.
func (s Site) checkURLs(path string, v *verdict) {
	urls, template, hosts := join(path, "urls"), join(path, "url"), join(path, "hosts")
	switch {
	case s.URL != "" && len(s.URLs) > 0:
		v.fault(template, "urls are given too; keep one of them")
	case s.URL == "" && len(s.URLs) == 0 && !v.unread(template) && !v.unread(hosts):
		v.fault(urls, "there are none; want one for each host, such as [\"https://ic1.example:8019\"]")
	}
	marked := false
	for i, raw := range s.URLs {
		marked = s.checkTemplate(item(urls, i), raw, hosts, v) || marked
	}
	if s.URL != "" {
		marked = s.checkTemplate(template, s.URL, hosts, v) || marked
	}
	if len(s.Hosts) > 0 && !marked && !v.unread(urls) && !v.unread(template) {
		v.fault(hosts, "no URL has %s to put them in; write https://%s:8019", hostMark, hostMark)
	}
	for i, host := range s.Hosts {
		if host != "" && !hostName.MatchString(host) {
			v.fault(item(hosts, i), "%q is not a host name; leave scheme and port to the URL", host)
		}
	}
	if twice := firstTwice(s.Bases()); twice != "" {
		v.fault(path, "%s is there twice; a host counts once", twice)
	}
}

// checkOthers finds hosts of a site that are Portico: a request would go round until nothing is left to hold it.
func (c *Config) checkOthers(site Site, path string, v *verdict) {
	for _, base := range site.Bases() {
		of, err := url.Parse(base)
		if err != nil {
			continue // said already
		}
		switch {
		case leadsTo(of, c.Listen):
			v.fault(path, "%s is where Portico itself listens, %q; want the contact centre's address", base, c.Listen)
		case leadsTo(of, c.Admin):
			v.fault(path, "%s is where Portico's operators reach it, %q; want the contact centre's address", base, c.Admin)
		case strings.EqualFold(base, c.PublicURL): // unless the name leads elsewhere from here
			v.warn(path, "%s is public_url, so Portico itself, unless the name leads to the contact centre from this machine", base)
		}
	}
}

// callsBegin is what follows a base URL in all calls of a site.
var callsBegin = map[Kind]string{ICWS: "/icws", HTCC: "/api/v2"}

// checkTemplate is about one URL and reports whether it has a mark for hosts.
func (s Site) checkTemplate(path, raw, hosts string, v *verdict) bool {
	if raw == "" { // could not be read
		return true
	}
	marked := strings.Contains(raw, hostMark)
	whole := strings.ReplaceAll(raw, hostMark, "host.example")
	problem := checkURL(whole)
	begin := callsBegin[s.Kind]
	switch {
	case problem != "":
		v.fault(path, "%s", problem)
	case strings.ContainsAny(whole, "{}"):
		v.fault(path, "%q has braces; %s is the only mark known", raw, hostMark)
	case begin != "" && endsIn(whole, begin):
		v.fault(path, "%q ends in %s, which each call begins with; leave %s out", raw, begin, begin)
	case marked && len(s.Hosts) == 0 && !v.unread(hosts):
		v.fault(path, "%q needs hosts to put in place of %s", raw, hostMark)
	case s.inClear(raw):
		v.warn(path, "passwords travel to %q unencrypted; use https", raw)
	}
	return marked
}

// endsIn reports whether the path of a URL does.
func endsIn(raw, end string) bool {
	parsed, err := url.Parse(raw)
	return err == nil && strings.HasSuffix(strings.TrimRight(parsed.Path, "/"), end)
}

// inClear reports whether passwords sent to a URL, or to a host it is a template of, could be read
// on their way.
func (s Site) inClear(raw string) bool {
	if !strings.Contains(raw, hostMark) {
		return inClear(raw)
	}
	return slices.ContainsFunc(s.Hosts, func(host string) bool { return inClear(expand(raw, host)) })
}

// firstTwice returns the first text that was there before, in capitals or not; "" if there is none.
func firstTwice(texts []string) string {
	seen := map[string]bool{}
	for _, text := range texts {
		folded := strings.ToLower(text)
		if text != "" && seen[folded] {
			return text
		}
		seen[folded] = true
	}
	return ""
}

var alternateForm = regexp.MustCompile(`^[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*$`)

func (s Site) checkAlternates(path string, v *verdict) {
	for i, pattern := range s.Alternates {
		if pattern != "" && !alternateForm.MatchString(pattern) {
			v.fault(item(path, i), "%q is not a host name with * in it; write one such as ic*.example, without scheme and port", pattern)
		}
	}
}

var languageForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

func (s Site) checkLanguage(path string, v *verdict) {
	if s.Language != "" && !languageForm.MatchString(s.Language) {
		v.fault(path, "%q is not a language; want one such as en-us or de", s.Language)
	}
}

func (s Site) checkChannels(path string, v *verdict) {
	owner := map[string]string{} // lower-cased workgroup to its channel
	var bare []string
	for _, name := range sorted(s.Channels) {
		below := join(path, name)
		if !nameForm.MatchString(name) {
			v.fault(below, "%q cannot be a channel; %s", name, nameHint)
		}
		if len(s.Channels[name].Workgroups) == 0 && !v.unread(join(below, "workgroups")) {
			bare = append(bare, name)
		}
		for i, workgroup := range s.Channels[name].Workgroups {
			other, taken := owner[strings.ToLower(workgroup)]
			if taken && workgroup != "" {
				v.fault(item(join(below, "workgroups"), i), "workgroup %q is in channel %s already; a workgroup has one channel", workgroup, other)
			}
			owner[strings.ToLower(workgroup)] = name
		}
	}
	if len(s.Channels) > 1 && len(bare) > 0 {
		v.warn(path, "operations on single channels will be refused: %s without workgroups", strings.Join(bare, ", "))
	}
}

// checkStatuses keeps statuses apart that tell what an agent's state is: that of Ready and that of do-not-disturb from all
// others. Two not-ready states may share one.
func (s Site) checkStatuses(path string, v *verdict) {
	same := func(key, status, otherKey, other string) {
		if key != otherKey && status != "" && strings.EqualFold(status, other) {
			v.fault(join(path, key), "%q is %s too; the two need different statuses", status, otherKey)
		}
	}
	st := s.Statuses
	for _, f := range fieldsOf(reflect.TypeFor[Statuses]()) {
		if strings.HasPrefix(f.name, "at_") { // says when to set one, and takes any
			continue
		}
		status := reflect.ValueOf(st).FieldByIndex(f.Index).String()
		same("do_not_disturb", st.DoNotDisturb, f.name, status)
		if f.name != "do_not_disturb" {
			same(f.name, status, "ready", st.Ready)
		}
	}
	if st.AtEnd != "" && strings.EqualFold(st.AtEnd, st.Ready) {
		v.warn(join(path, "at_end"), "agents who have left stay ready for calls; use a not-ready status")
	}
}

func (s Site) checkMarketplace(path string, v *verdict) {
	code, name := join(path, "code_file"), join(path, "license_name")
	given := s.Marketplace.CodeFile != "" || !s.Marketplace.Code.IsZero()
	switch {
	case s.Marketplace.LicenseName != "" && !given:
		v.fault(code, "is missing; license_name needs its code")
	case s.Marketplace.LicenseName == "" && given:
		v.fault(name, "is missing; code_file needs the name of its licence")
	}
}

func (s Site) checkService(path string, v *verdict) {
	user, password := s.Service.User != "", s.Service.PasswordFile != "" || !s.Service.Password.IsZero()
	switch {
	case s.Watch == WatchService && !user:
		v.fault(join(path, "user"), "is missing; watch: service logs in as a user of its own")
	case s.Watch != WatchService && (user || password):
		v.warn(path, "is not used without watch: service")
	}
	if (s.Watch == WatchService || user) && !password {
		v.fault(join(path, "password_file"), "is missing; name a file that holds the service user's password")
	}
}

// has reports whether an agent may have this channel on the site. An htcc site tells only at log-in.
func (s Site) has(channel string) bool {
	_, ok := s.Channels[channel]
	return ok || s.Kind != ICWS
}
