package translate

import (
	"testing"

	"portico/translate/icwsapi"
)

type statuses = []icwsapi.StatusMessage

func TestChangesOfACatalogue(t *testing.T) {
	entry := func(id, text string) icwsapi.StatusMessage {
		return icwsapi.StatusMessage{StatusID: id, MessageText: text}
	}
	lunch, play, home := entry("At Lunch", "lunch"), entry("At Play", "play"), entry("Gone Home", "home")
	delta := icwsapi.Head{IsDelta: true}
	tests := []struct {
		name    string
		message icwsapi.StatusMessagesMessage
		want    statuses
	}{
		{"no change", icwsapi.StatusMessagesMessage{Head: delta}, statuses{lunch, play}},
		{"an entry is added at the end", icwsapi.StatusMessagesMessage{Head: delta, StatusMessagesAdded: statuses{home}}, statuses{lunch, play, home}},
		{"an entry is changed in its place", icwsapi.StatusMessagesMessage{Head: delta, StatusMessagesChanged: statuses{entry("at lunch", "new")}},
			statuses{entry("at lunch", "new"), play}},
		{"an entry is removed, whatever the case", icwsapi.StatusMessagesMessage{Head: delta, StatusMessagesRemoved: []string{"AT LUNCH"}}, statuses{play}},
		{"what is not there cannot be removed", icwsapi.StatusMessagesMessage{Head: delta, StatusMessagesRemoved: []string{"Gone Home"}}, statuses{lunch, play}},
		{"what is not there is added by a change", icwsapi.StatusMessagesMessage{Head: delta, StatusMessagesChanged: statuses{home}}, statuses{lunch, play, home}},
		{"what is there is changed by an addition", icwsapi.StatusMessagesMessage{Head: delta, StatusMessagesAdded: statuses{entry("At Play", "new")}},
			statuses{lunch, entry("At Play", "new")}},
		{"removed and added in one message", icwsapi.StatusMessagesMessage{Head: delta, StatusMessagesAdded: statuses{lunch}, StatusMessagesRemoved: []string{"At Lunch"}},
			statuses{play, lunch}},
		{"all of it", icwsapi.StatusMessagesMessage{StatusMessagesAdded: statuses{home}}, statuses{home}},
		{"all of it, and it is nothing", icwsapi.StatusMessagesMessage{}, statuses{}},
		{"all of it, an entry twice", icwsapi.StatusMessagesMessage{StatusMessagesAdded: statuses{lunch, home, entry("AT LUNCH", "new")}},
			statuses{entry("AT LUNCH", "new"), home}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old := NewCatalogue(site, statuses{lunch, play})
			changed := old.Changed(site, tt.message)
			differ(t, tt.want, changed.Messages(), equateEmpty)
			differ(t, statuses{lunch, play}, old.Messages())
			if changed.Digest() != NewCatalogue(site, tt.want).Digest() {
				t.Error("equal catalogues have different digests")
			}
			for _, message := range tt.want {
				got, known := changed.ByID(message.StatusID)
				differ(t, message, got)
				if !known || changed.Name(message.StatusID).ID == "" {
					t.Errorf("%q is not found, or has no name", message.StatusID)
				}
			}
		})
	}
}

func TestDigestsOfCatalogues(t *testing.T) {
	base := stock()
	tests := []struct {
		name string
		edit func(statuses) statuses
		same bool
	}{
		{"the same entries", func(s statuses) statuses { return s }, true},
		{"a text", func(s statuses) statuses { s[3].MessageText = "elsewhere"; return s }, false},
		{"a flag", func(s statuses) statuses { s[3].IsPersistentStatus = true; return s }, false},
		{"the order", func(s statuses) statuses { s[0], s[1] = s[1], s[0]; return s }, false},
		{"an entry less", func(s statuses) statuses { return s[1:] }, false},
	}
	for _, tt := range tests {
		edited := NewCatalogue(site, tt.edit(stock()))
		if same := edited.Digest() == NewCatalogue(site, base).Digest(); same != tt.same {
			t.Errorf("%s: digests equal = %t; want %t", tt.name, same, tt.same)
		}
	}
}

func TestChangesOfAnAccessList(t *testing.T) {
	tests := []struct {
		name   string
		change icwsapi.UserAccessChange
		full   bool
		want   []string
	}{
		{"nothing", icwsapi.UserAccessChange{}, false, []string{"At Lunch", "Available"}},
		{"added", icwsapi.UserAccessChange{StatusMessagesAdded: []string{"At Play", "available"}}, false, []string{"At Lunch", "At Play", "Available"}},
		{"removed, whatever the case", icwsapi.UserAccessChange{StatusMessagesRemoved: []string{"AT LUNCH", "At Sea"}}, false, []string{"Available"}},
		{"removed and added", icwsapi.UserAccessChange{StatusMessagesAdded: []string{"at lunch"}, StatusMessagesRemoved: []string{"At Lunch"}}, false, []string{"at lunch", "Available"}},
		{"all of it", icwsapi.UserAccessChange{StatusMessagesAdded: []string{"At Play"}}, true, []string{"At Play"}},
		{"all of it, and it is nothing", icwsapi.UserAccessChange{}, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old := NewAccess([]string{"Available", "At Lunch", "AVAILABLE"})
			changed := old.Changed(tt.change, tt.full)
			differ(t, tt.want, changed.ids)
			differ(t, []string{"At Lunch", "Available"}, old.ids)
			if changed.Digest() != NewAccess(tt.want).Digest() {
				t.Error("equal sets have different digests")
			}
			for _, id := range tt.want {
				if !changed.Has(id) || !changed.Has(fold(id)) {
					t.Errorf("Has(%q) = false", id)
				}
			}
		})
	}
}

func TestAccessToNothing(t *testing.T) {
	var none *Access
	if none.Has("Available") || none.Digest() != NewAccess(nil).Digest() {
		t.Error("the nil access list is not the empty one")
	}
	differ(t, []string{"Available"}, none.Changed(icwsapi.UserAccessChange{StatusMessagesAdded: []string{"Available"}}, false).ids)
}

func TestDigestsOfDirectories(t *testing.T) {
	catalogue := with()
	whole := mapped().NewDirectory(catalogue, all(catalogue)).Digest()
	if whole != mapped().NewDirectory(with(), all(with())).Digest() {
		t.Error("equal directories have different digests")
	}
	if whole == mapped().NewDirectory(catalogue, all(catalogue, "At Lunch")).Digest() {
		t.Error("another access list has the same digest")
	}
	if whole == mapped().NewDirectory(with(icwsapi.StatusMessage{StatusID: "At Sea"}), all(catalogue)).Digest() {
		t.Error("another catalogue has the same digest")
	}
}

func TestLookUpsIgnoreCase(t *testing.T) {
	catalogue := with()
	got, known := catalogue.ByID("AVAILABLE, no acd")
	if !known || got.StatusID != "Available, No ACD" {
		t.Errorf("ByID = %q, %t; want the server's spelling", got.StatusID, known)
	}
	_, known = catalogue.ByID("At Sea")
	if known {
		t.Error("finds a status that is not there")
	}
}
