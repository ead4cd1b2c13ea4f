package gateway

import (
	"testing"
	"testing/synctest"
)

// What operators see of a session at two replicas belongs together.
func TestViewsOfAFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, toStore := fleet.replica(t)
		id := a.login("anna").SessionID()
		settle()
		b.cookie(id)
		settle()
		atA, atB := a.Sessions("", false), b.Sessions("", false)
		if len(atA) != 1 || len(atB) != 1 || atA[0].Session != atB[0].Session || !atA[0].Reads || atB[0].Reads {
			t.Errorf("one session is shown as %+v and %+v; want the same name, read at the first", atA, atB)
		}
		for what, w := range map[string]*world{"where it is read": a, "elsewhere": b} {
			n, shared, err := w.CountFleet(t.Context())
			if n != 1 || !shared || err != nil {
				t.Errorf("%s: CountFleet = %d, %v, %v; want 1", what, n, shared, err)
			}
			want := map[*world]Readers{a: {Live: 1}, b: {}}[w]
			if site := w.Sites()[0]; site.Sessions != 1 || site.Readers != want {
				t.Errorf("%s: the site is shown with %d sessions and readers %+v; want 1 and %+v", what, site.Sessions, site.Readers, want)
			}
		}
		toStore.cut.Store(true)
		_, shared, err := b.CountFleet(t.Context())
		if !shared || err == nil {
			t.Errorf("without the store: CountFleet = %v, %v; want an error", shared, err)
		}
	})
}
