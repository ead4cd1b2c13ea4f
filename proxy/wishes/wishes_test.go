package wishes

import (
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/session"
)

func TestWhatOfAWishIsPutInTheStore(t *testing.T) {
	const site, now = "cloud", 1_000_000
	of := func(wish string, asked int64, wished int) session.Session {
		s := session.Session{Wishes: map[string][]byte{site: []byte(wish)}, Wished: wished, Now: now}
		if asked != 0 {
			s.Asked = map[string]int64{site: asked}
		}
		return s
	}
	for name, test := range map[string]struct {
		stored, known session.Session
		mine          string
		late          time.Duration // since it was asked for, if the store did not answer then
		want          string
		asked         int64
	}{
		"what the store has":                         {of("known", 900_000, 3), of("known", 900_000, 3), "known", 0, "known", 900_000},
		"what is new":                                {of("known", 900_000, 3), of("known", 900_000, 3), "mine", 0, "mine", 900_001},
		"what is new, by a clock put back":           {of("known", 2_000_000, 3), of("known", 2_000_000, 3), "mine", 0, "mine", 2_000_001},
		"what others changed since":                  {of("theirs", 950_000, 4), of("known", 900_000, 3), "mine", 0, "theirs", 950_000},
		"a late one, before theirs":                  {of("theirs", 950_000, 4), of("known", 900_000, 3), "mine", time.Minute, "theirs", 950_000},
		"a late one, after theirs":                   {of("theirs", 950_000, 4), of("known", 900_000, 3), "mine", 20 * time.Second, "mine", 980_000},
		"a late one, after what was known":           {of("known", 990_000, 3), of("known", 990_000, 3), "mine", time.Minute, "mine", 990_001},
		"a late one, of a release that says no time": {of("theirs", 0, 4), of("known", 0, 3), "mine", time.Minute, "mine", 940_000},
		"what the store has lost":                    {of("before", 800_000, 2), of("known", 900_000, 3), "known", 0, "known", 900_000},
		"what it has lost all of":                    {session.Session{Now: now}, of("known", 900_000, 3), "known", 0, "known", 900_000},
		"what it has lost, and what is new":          {of("before", 800_000, 2), of("known", 900_000, 3), "mine", 0, "mine", 900_001},
		"what it has lost, and theirs":               {of("theirs", 950_000, 3), of("known", 900_000, 4), "known", 0, "theirs", 950_000},
		"what it has lost, of a former release":      {of("before", 0, 2), of("known", 0, 3), "known", 0, "known", 0},
		"what a former release has put there":        {of("theirs", 0, 4), of("known", 900_000, 3), "known", 0, "theirs", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // where no time passes
				w := Report{mine: map[string][]byte{site: []byte(test.mine)}, known: recordOf(test.known)}
				if test.late != 0 {
					w.late = map[string]*lateWish{site: {time.Now().Add(-test.late)}}
				}
				is := test.stored
				w.Put(&is, time.Now())
				if string(is.Wishes[site]) != test.want || is.Asked[site] != test.asked {
					t.Errorf("the store has %q of %d; want %q of %d", is.Wishes[site], is.Asked[site], test.want, test.asked)
				}
				if test.want != string(test.stored.Wishes[site]) && is.Wished <= max(test.stored.Wished, test.known.Wished) {
					t.Errorf("it was changed %d times, as a former release counts; want more than before", is.Wished)
				}
			})
		})
	}
}
