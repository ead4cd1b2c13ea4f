package translate

import (
	"maps"
	"slices"

	"portico/translate/htccapi"
)

// wanted says, by the words of the operations alone, which channels an agent wants work on. It is
// the other opinion that random tests hold plans against, and knows nothing of activations.
type wanted struct {
	rules  Rules
	in     *Directory
	ready  map[htccapi.MediaChannel]bool // asked to be Ready, and not ended since
	out    map[htccapi.MediaChannel]bool // LoggedOut
	hidden map[htccapi.MediaChannel]bool // what do-not-disturb hides as Ready; nil while it is off
}

func newWanted(r Rules, d *Directory) *wanted {
	return &wanted{rules: r, in: d, ready: map[htccapi.MediaChannel]bool{}, out: map[htccapi.MediaChannel]bool{}}
}

// asked takes in an operation that is about to be carried out, with the channels that show Ready
// before it, and returns those that may be offered work by it.
func (w *wanted) asked(ask Request, names []htccapi.MediaChannel, shownReady map[htccapi.MediaChannel]bool) map[htccapi.MediaChannel]bool {
	switch ask.Operation {
	case htccapi.DoNotDisturbOn:
		if w.hidden == nil {
			w.hidden = maps.Clone(shownReady)
		}
		return nil
	case htccapi.DoNotDisturbOff:
		back := w.hidden
		w.hidden = nil
		return back
	}
	if ask.Channel != "" {
		names = []htccapi.MediaChannel{ask.Channel}
	} else {
		names = slices.DeleteFunc(slices.Clone(names), func(name htccapi.MediaChannel) bool { return w.out[name] })
	}
	kind, _ := w.in.status(ask.Operation)
	ready := kind.IsACDStatus
	may := maps.Clone(w.ready) // comes along out of a state that routes nothing
	for _, name := range names {
		w.out[name] = ask.Operation == htccapi.Offline
		w.ready[name] = ready || w.ready[name] && kind.IsAfterCallWorkStatus
		may[name] = ready
		if w.hidden != nil {
			w.hidden[name] = ready
		}
	}
	if w.hidden == nil {
		return may
	}
	if ready && len(shownReady) == 0 { // what is wanted comes along in what is hidden, too
		for name, wants := range w.ready {
			w.hidden[name] = w.hidden[name] || wants && !w.out[name]
		}
	}
	return nil
}

// heard takes in a status that someone else set; shownReady was shown until then.
func (w *wanted) heard(statusID string, shownReady map[htccapi.MediaChannel]bool) {
	if w.in.IsDND(statusID) {
		if w.hidden == nil {
			w.hidden = maps.Clone(shownReady)
		}
		return
	}
	w.hidden = nil
	status, known := w.in.Catalogue.ByID(statusID)
	if !known || status.IsSelectableStatus && !status.IsACDStatus && !status.IsAfterCallWorkStatus {
		clear(w.ready)
	}
}
