package catalogues

import (
	"slices"
	"sync"

	"portico/translate"
	"portico/translate/icwsapi"
)

// A Maker makes catalogues of whole lists of a site's status messages. Each session is told the whole list,
// which is mostly the one that the session before was told: then its catalogue is the same object, and is
// neither made nor digested again. Any number of goroutines may use it.
type Maker struct {
	site string

	mu   sync.Mutex
	made []*translate.Catalogue // the last ones, newest first, guarded by mu
}

// NewMaker returns the maker of a site's catalogues.
func NewMaker(site string) *Maker { return &Maker{site: site} }

// listsKept is how many catalogues are kept, used or not: a site has few languages.
const listsKept = 4

// Of returns the catalogue that those messages make.
func (m *Maker) Of(messages []icwsapi.StatusMessage) *translate.Catalogue {
	known := m.find(messages)
	if known != nil {
		return known
	}
	made := translate.NewCatalogue(m.site, messages)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made = slices.Insert(m.made, 0, made)
	m.made = slices.Delete(m.made, min(len(m.made), listsKept), len(m.made))
	return made
}

func (m *Maker) find(messages []icwsapi.StatusMessage) *translate.Catalogue {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, known := range m.made {
		if slices.Equal(known.Messages(), messages) {
			return known
		}
	}
	return nil
}
