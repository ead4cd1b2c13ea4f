package icwssim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// StatusEdit is an entry of the catalogue to be added or changed. Labels gives the messageText in
// languages other than the default, by language id.
type StatusEdit struct {
	icwsapi.StatusMessage
	Labels map[string]string `json:"labels"`
}

// CatalogueChange is a change of the catalogue by an administrator.
type CatalogueChange struct {
	Add    []StatusEdit // each of an id that does not exist yet
	Change []StatusEdit // each whole, of an id that exists
	Remove []string     // ids; users who have the status keep it
}

// NewStatus returns an entry for CatalogueChange.Add as an administrator finds it in a new form:
// selectable, labelled with its id, and nothing else.
func NewStatus(id string) StatusEdit {
	return StatusEdit{StatusMessage: icwsapi.StatusMessage{
		StatusID: id, MessageText: id, IconURI: iconURI("custom"), GroupTag: "UNAVAILABLE", IsSelectableStatus: true,
	}}
}

// ChangeCatalogue makes the change and tells sessions that subscribed to the catalogue, or to access
// lists that change with it. It changes nothing if it fails.
func (s *Server) ChangeCatalogue(change CatalogueChange) error {
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeCatalogue(change)
}

func (s *Server) changeCatalogue(change CatalogueChange) error {
	err := s.checkCatalogueChange(change)
	if err != nil {
		return err
	}
	old := make(map[*user][]string)
	for _, u := range s.users {
		if len(u.watchers) > 0 {
			old[u] = s.accessOf(u)
		}
	}
	added, changed, removed := s.editCatalogue(change)
	s.tellCatalogue(added, changed, removed)
	for u, access := range old {
		s.tellAccess(u, access)
	}
	return nil
}

func (s *Server) checkCatalogueChange(change CatalogueChange) error {
	var added []string
	for _, edit := range change.Add {
		if strings.TrimSpace(edit.StatusID) == "" {
			return fmt.Errorf("icwssim: a status to add has no statusId")
		}
		if contains(added, edit.StatusID) {
			return fmt.Errorf("icwssim: status %q is to be added twice", edit.StatusID)
		}
		added = append(added, edit.StatusID)
		if s.status(edit.StatusID) != nil {
			return fmt.Errorf("icwssim: status %q to add exists: want change", edit.StatusID)
		}
	}
	ids := slices.Clone(change.Remove)
	for _, edit := range change.Change {
		ids = append(ids, edit.StatusID)
	}
	for _, id := range ids {
		if s.status(id) == nil {
			return fmt.Errorf("icwssim: unknown status %q: want one of %s", id, strings.Join(s.statusIDs(), "; "))
		}
	}
	return nil
}

// editCatalogue returns the entries and ids to tell of, in the server's spelling.
func (s *Server) editCatalogue(change CatalogueChange) (added, changed []status, removed []string) {
	for _, edit := range change.Add {
		entry := newEntry(edit)
		if entry.SystemID == "" {
			entry.SystemID = s.nextSystemID()
		}
		s.catalogue = append(s.catalogue, entry)
		added = append(added, entry)
	}
	for _, edit := range change.Change {
		old := s.status(edit.StatusID)
		entry := newEntry(edit)
		entry.StatusID = old.StatusID
		*old = entry
		changed = append(changed, entry)
	}
	for _, id := range change.Remove {
		i := slices.IndexFunc(s.catalogue, func(entry status) bool { return strings.EqualFold(entry.StatusID, id) })
		if i < 0 {
			continue // named twice
		}
		removed = append(removed, s.catalogue[i].StatusID)
		s.catalogue = slices.Delete(s.catalogue, i, i+1)
	}
	for _, u := range s.users {
		if u.access != nil && len(removed) > 0 {
			u.access = slices.DeleteFunc(slices.Clone(u.access), func(id string) bool { return contains(removed, id) })
		}
	}
	return added, changed, removed
}

func newEntry(edit StatusEdit) status {
	entry := status{StatusMessage: edit.StatusMessage, labels: make(map[string]string)}
	for language, text := range edit.Labels {
		entry.labels[strings.ToLower(language)] = text
	}
	return entry
}

func (s *Server) nextSystemID() string {
	highest := 0
	for i := range s.catalogue {
		n, err := strconv.Atoi(s.catalogue[i].SystemID)
		if err == nil {
			highest = max(highest, n)
		}
	}
	return strconv.Itoa(highest + 1)
}

// tellCatalogue sends what changed, each session in its language.
func (s *Server) tellCatalogue(added, changed []status, removed []string) {
	for _, session := range s.sessions {
		if !session.subs.catalogue {
			continue
		}
		in := func(entries []status) []icwsapi.StatusMessage {
			var messages []icwsapi.StatusMessage
			for i := range entries {
				messages = append(messages, entries[i].in(session.language))
			}
			return messages
		}
		send := func(added, changed []icwsapi.StatusMessage, removed []string) {
			if len(added)+len(changed)+len(removed) > 0 {
				session.send(icwsapi.StatusMessagesMessage{
					Head:                icwsapi.Head{Type: icwsapi.TypeStatusMessages, IsDelta: true},
					StatusMessagesAdded: added, StatusMessagesChanged: changed, StatusMessagesRemoved: removed,
				})
			}
		}
		allAdded, allChanged := in(added), in(changed)
		if len(split(allAdded))+len(split(allChanged))+len(split(removed)) == 3 &&
			len(simulation.Encode(allAdded))+len(simulation.Encode(allChanged))+len(simulation.Encode(removed)) < maxMessage-1000 {
			send(allAdded, allChanged, removed)
			continue
		}
		for _, part := range split(allAdded) {
			send(part, nil, nil)
		}
		for _, part := range split(allChanged) {
			send(nil, part, nil)
		}
		for _, part := range split(removed) {
			send(nil, nil, part)
		}
	}
}

// readCatalogueChange reads the entries of a request. The caller holds s.mu.
func (s *Server) readCatalogueChange(asked catalogueRequest) (CatalogueChange, error) {
	change := CatalogueChange{Remove: asked.Remove}
	for _, raw := range asked.Add {
		edit, err := readEdit(raw, NewStatus)
		if err != nil {
			return CatalogueChange{}, err
		}
		change.Add = append(change.Add, edit)
	}
	for _, raw := range asked.Change {
		edit, err := readEdit(raw, s.editOf)
		if err != nil {
			return CatalogueChange{}, err
		}
		change.Change = append(change.Change, edit)
	}
	return change, nil
}

// readEdit reads an entry over the one that base returns for its id.
func readEdit(raw json.RawMessage, base func(id string) StatusEdit) (StatusEdit, error) {
	var named struct {
		StatusID string `json:"statusId"`
	}
	_ = json.Unmarshal(raw, &named) // what is wrong shows below
	edit := base(named.StatusID)
	err := simulation.Decode(raw, &edit)
	return edit, err
}

// editOf returns an existing entry with its labels, so that an edit of one leaves the others.
func (s *Server) editOf(id string) StatusEdit {
	entry := s.status(id)
	if entry == nil {
		return NewStatus(id)
	}
	edit := StatusEdit{StatusMessage: entry.StatusMessage, Labels: make(map[string]string)}
	for i := range s.Languages[1:] {
		language := &s.Languages[i+1]
		edit.Labels[language.ID] = entry.in(language).MessageText
	}
	return edit
}
