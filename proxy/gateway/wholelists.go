package gateway

import (
	"slices"
	"sync"

	"portico/translate"
	"portico/translate/icwsapi"
)

// A wholeLists makes catalogues of whole lists of a site's status messages. Each session is told the whole list,
// which is mostly the one that the session before was told: then its catalogue is the same object, and is
// neither made nor digested again. Any number of goroutines may use it.
type wholeLists struct {
	site string

	mu   sync.Mutex
	made []*translate.Catalogue // the last ones, newest first, guarded by mu
}

// listsKept is how many catalogues are kept, used or not: a site has few languages.
const listsKept = 4

// of returns the catalogue that those messages make.
func (w *wholeLists) of(messages []icwsapi.StatusMessage) *translate.Catalogue {
	known := w.find(messages)
	if known != nil {
		return known
	}
	made := translate.NewCatalogue(w.site, messages)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made = slices.Insert(w.made, 0, made)
	w.made = slices.Delete(w.made, min(len(w.made), listsKept), len(w.made))
	return made
}

func (w *wholeLists) find(messages []icwsapi.StatusMessage) *translate.Catalogue {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, known := range w.made {
		if slices.Equal(known.Messages(), messages) {
			return known
		}
	}
	return nil
}
