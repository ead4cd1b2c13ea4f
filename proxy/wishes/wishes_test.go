package wishes

import (
	"strings"
	"testing"
	"time"

	"portico/proxy/session"
)

const (
	cloud       = "cloud"
	pureConnect = "pureconnect"
	now         = 1_000_000 // what the store's clock shows, in its milliseconds
)

var (
	both = []string{cloud, pureConnect}
	noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC) // what a replica's shows at that moment
)

func wish(text string) map[string][]byte { return map[string][]byte{cloud: []byte(text)} }

// stored is what the store has of a wish for one site: when it was asked for, 0 if that is not said, and how often the
// session's wishes were changed.
func stored(text string, asked int64, wished int) session.Session {
	s := session.Session{Wishes: wish(text), Wished: wished, Now: now}
	if asked != 0 {
		s.Asked = map[string]int64{cloud: asked}
	}
	return s
}

var (
	nothing = session.Session{Now: now}
	known   = stored("known", 900_000, 3)
)

// knowing is a ledger that knows what the store has.
func knowing(s session.Session) *Ledger {
	var l Ledger
	l.Learn(s, both, false)
	return &l
}

func TestWhatIsPutInTheStore(t *testing.T) {
	const inTime = -1 // it was told when it was asked for, or nobody asked: the site shows it
	for _, c := range []struct {
		name          string
		stored, known session.Session
		mine          string
		late          time.Duration // since an operation asked for it, of which the store is still to be told
		want          string
		asked         int64
		restored      bool
	}{
		{"what the store has", known, known, "known", inTime, "known", 900_000, false},
		{"the first wish of all", nothing, nothing, "mine", 0, "mine", now, false},
		{"what is new", known, known, "mine", inTime, "mine", 900_001, false},
		{"what is new, by a clock put back", stored("known", 2_000_000, 3), stored("known", 2_000_000, 3), "mine", inTime, "mine", 2_000_001, false},
		{"what others changed since", stored("theirs", 950_000, 4), known, "mine", inTime, "theirs", 950_000, false},
		{"an operation's, at once", known, known, "mine", 0, "mine", now, false},
		{"an operation's, at once, where others changed it since", stored("theirs", 950_000, 4), known, "mine", 0, "mine", now, false},
		{"an operation's, of the same moment as theirs", stored("theirs", 950_000, 4), known, "mine", 50 * time.Second, "mine", 950_000, false},
		{"a late one, before theirs", stored("theirs", 950_000, 4), known, "mine", time.Minute, "theirs", 950_000, false},
		{"a late one, after theirs", stored("theirs", 950_000, 4), known, "mine", 20 * time.Second, "mine", 980_000, false},
		{"a late one, after what was known", stored("known", 990_000, 3), stored("known", 990_000, 3), "mine", time.Minute, "mine", 990_001, false},
		{"a late one, of a release that says no time", stored("theirs", 0, 4), stored("known", 0, 3), "mine", time.Minute, "mine", 940_000, false},
		{"what the store has lost", stored("before", 800_000, 2), known, "known", inTime, "known", 900_000, true},
		{"what it has lost all of", nothing, known, "known", inTime, "known", 900_000, true},
		{"what it has lost, and what is new", stored("before", 800_000, 2), known, "mine", inTime, "mine", 900_001, true},
		{"what it has lost, and an operation's", stored("before", 800_000, 2), known, "mine", 10 * time.Second, "mine", 990_000, true},
		{"what it has lost, and theirs", stored("theirs", 950_000, 3), stored("known", 900_000, 4), "known", inTime, "theirs", 950_000, false},
		{"what it has lost, of a former release", stored("before", 0, 2), stored("known", 0, 3), "known", inTime, "known", 0, true},
		{"what a former release has put there", stored("theirs", 0, 4), known, "known", inTime, "theirs", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, is := knowing(c.known), c.stored
			if c.late != inTime {
				l.Ask(c.known.Wishes, wish(c.mine), noon.Add(-c.late))
			}
			report, _ := l.Report(wish(c.mine))
			restored := report.Put(&is, noon)
			if string(is.Wishes[cloud]) != c.want || is.Asked[cloud] != c.asked || restored != c.restored {
				t.Errorf("the store has %q of %d, restored %v; want %q of %d, %v", is.Wishes[cloud], is.Asked[cloud], restored, c.want, c.asked, c.restored)
			}
			changed := c.want != string(c.stored.Wishes[cloud])
			if changed && is.Wished <= max(c.stored.Wished, c.known.Wished) || !changed && is.Wished != c.stored.Wished {
				t.Errorf("it was changed %d times, as a former release counts, and %d before", is.Wished, c.stored.Wished)
			}
		})
	}
}

func TestLearn(t *testing.T) {
	const operating = true
	for _, c := range []struct {
		name      string
		stored    session.Session
		asked     bool // for something of which the store is still to be told
		operating bool
		news      string
		behind    bool
		has       string // what the store is known to have then
	}{
		{"what is known", known, false, false, "", false, "known"},
		{"a later wish", stored("theirs", 950_000, 4), false, false, cloud, false, "theirs"},
		{"the same wish, asked for again", stored("known", 950_000, 4), false, false, "", false, "known"},
		{"a later wish, while an operation goes on", stored("theirs", 950_000, 4), false, operating, "", false, "known"},
		{"a later wish, while the store is to be told of one", stored("theirs", 950_000, 4), true, false, "", false, "known"},
		{"an earlier wish", stored("before", 800_000, 2), false, false, "", true, "known"},
		{"an earlier wish, while an operation goes on", stored("before", 800_000, 2), false, operating, "", true, "known"},
		{"no wish any more", nothing, false, false, "", true, "known"},
		{"a wish of a former release", stored("theirs", 0, 4), false, false, cloud, false, "theirs"},
		{"an earlier wish of a former release", stored("before", 0, 2), false, false, "", true, "known"},
		{"a wish of one that does not count", stored("theirs", 0, 0), false, false, cloud, false, "theirs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := knowing(known)
			if c.asked {
				l.Ask(known.Wishes, wish("mine"), noon)
			}
			news, behind := l.Learn(c.stored, both, c.operating)
			if strings.Join(news, " ") != c.news || behind != c.behind {
				t.Errorf("Learn = %q, behind %v; want %q, %v", news, behind, c.news, c.behind)
			}
			if !l.Has(cloud, []byte(c.has)) {
				t.Errorf("the store is not known to have %q", c.has)
			}
			if want := c.behind || c.asked; l.Owes() != want {
				t.Errorf("Owes = %v; want %v", l.Owes(), want)
			}
		})
	}
}

func TestLearnLeavesSitesThatAreNotTheAgents(t *testing.T) {
	var l Ledger
	if news, behind := l.Learn(known, []string{pureConnect}, false); len(news) != 0 || behind || l.Has(cloud, known.Wishes[cloud]) {
		t.Errorf("Learn = %q, behind %v; want nothing of %s", news, behind, cloud)
	}
}

func TestReportSaysWhetherThereIsAnythingToTell(t *testing.T) {
	for _, c := range []struct {
		name string
		did  func(*Ledger)
		mine string
		want bool
	}{
		{"what the store has", func(*Ledger) {}, "known", false},
		{"what it has not", func(*Ledger) {}, "mine", true},
		{"an operation that changed something", func(l *Ledger) { l.Ask(wish("before"), wish("known"), noon) }, "known", true},
		{"an operation that changed nothing", func(l *Ledger) { l.Ask(wish("known"), wish("known"), noon) }, "known", false},
		{"what it may have lost", (*Ledger).Doubt, "known", true},
		{"what was forgotten", func(l *Ledger) {
			l.Ask(wish("before"), wish("known"), noon)
			l.Doubt()
			l.Forget()
		}, "known", false},
	} {
		l := knowing(known)
		c.did(l)
		if _, got := l.Report(wish(c.mine)); got != c.want {
			t.Errorf("%s: there is something to tell: %v; want %v", c.name, got, c.want)
		}
	}
}

func TestTold(t *testing.T) {
	nobody := func(*Ledger) {}
	for _, c := range []struct {
		name      string
		meanwhile func(*Ledger) // between the report and the answer
		is        session.Session
		owes      bool
		has       string
	}{
		{"the wish is there", nobody, stored("mine", now, 4), false, "mine"},
		{"a later one is there", nobody, stored("theirs", now+1, 5), false, "known"}, // which Learn takes
		{"the agent asked for more meanwhile", func(l *Ledger) { l.Ask(wish("mine"), wish("more"), noon) }, stored("mine", now, 4), true, "mine"},
		{"and for the same at the same moment", func(l *Ledger) { l.Ask(wish("known"), wish("mine"), noon) }, stored("mine", now, 4), true, "mine"},
		{"a later one was learned meanwhile", func(l *Ledger) {
			l.Forget()
			l.Learn(stored("theirs", now+1, 5), both, false)
		}, stored("mine", now, 4), false, "theirs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := knowing(known)
			l.Ask(known.Wishes, wish("mine"), noon)
			l.Doubt()
			report, _ := l.Report(wish("mine"))
			c.meanwhile(l)
			l.Told(report, c.is)
			if l.Owes() != c.owes || !l.Has(cloud, []byte(c.has)) {
				t.Errorf("Owes = %v, and the store has %q: %v; want %v, true", l.Owes(), c.has, l.Has(cloud, []byte(c.has)), c.owes)
			}
		})
	}
}

func TestALossOfWhichTheStoreWasNotToldIsDoubtedStill(t *testing.T) {
	l := knowing(known)
	report, _ := l.Report(wish("mine"))
	l.Doubt()
	l.Told(report, stored("mine", 900_001, 4))
	if !l.Owes() {
		t.Error("the store is not asked whether it has lost something, as it may have since the report")
	}
}
