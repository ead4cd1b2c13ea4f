package icwssim

import (
	"slices"
	"strconv"
	"strings"

	"portico/translate/icwsapi"
)

// status is an entry of the catalogue. The messageText within is the default language's; labels has
// those of the others that were changed after the start, by language id.
type status struct {
	icwsapi.StatusMessage
	labels map[string]string
}

// StockLanguages returns English and German with labels for the stock catalogue and with texts.
func StockLanguages() []Language {
	german := make(map[string]string)
	for _, row := range stock {
		german[row.id] = row.german
	}
	return []Language{
		{ID: "en-us", Name: "English (United States)"},
		{ID: "de", Name: "Deutsch", Labels: german, Texts: stockTexts},
	}
}

// stock is the catalogue of a server as installed. Flags is one letter each: a ACD, n do not
// disturb, w after-call work, u follow-up allowed, s selectable, p persistent, f forward, d date,
// t time.
//
// Source: Interaction Scripter help, user status message property (names); IceLib help (groups).
// Ids were seen in client code. Guess: flags but those of Available, Available, No ACD, Do Not
// disturb and Follow Up.
var stock = []struct{ id, english, german, group, flags, icon string }{
	{"Available", "Available", "Verfügbar", "AVAILABLE", "ausp", "available"},
	{"Available, No ACD", "Available, No ACD", "Verfügbar, kein ACD", "AVAILABLE", "sp", "available-no-acd"},
	{"Available, Forward", "Available, Forward", "Verfügbar, Weiterleitung", "AVAILABLE", "spf", "forward"},
	{"Available, Remote", "Available, Remote", "Verfügbar, extern", "AVAILABLE", "aus", "available"},
	{"AcdAgentNotAnswering", "ACD - Agent Not Answering", "ACD - Agent antwortet nicht", "UNAVAILABLE", "n", "not-answering"},
	{"At a training session", "At a Training Session", "In einer Schulung", "TRAINING", "nsdt", "training"},
	{"At Lunch", "At Lunch", "Mittagspause", "BREAK", "nst", "lunch"},
	{"Away from desk", "Away From Desk", "Nicht am Platz", "BREAK", "nst", "away"},
	{"Do Not disturb", "Do Not Disturb", "Bitte nicht stören", "UNAVAILABLE", "nspdt", "dnd"},
	{"Follow Up", "Follow Up", "Nachbearbeitung", "FOLLOWUP", "nws", "follow-up"},
	{"Gone Home", "Gone Home", "Feierabend", "UNAVAILABLE", "nspdt", "home"},
	{"In a meeting", "In a meeting", "In einer Besprechung", "UNAVAILABLE", "nsdt", "meeting"},
	{"On Vacation", "On Vacation", "Im Urlaub", "UNAVAILABLE", "nspd", "vacation"},
	{"Out of the office", "Out of the Office", "Außer Haus", "UNAVAILABLE", "nspdt", "out"},
	{"Out of Town", "Out of Town", "Verreist", "UNAVAILABLE", "nspdt", "out"},
	{"Working at Home", "Working at Home", "Arbeitet zu Hause", "AVAILABLE", "spdt", "home"},
	{"At Play", "At Play", "In der Freizeit", "BREAK", "nst", "play"},
}

// StockStatusMessages returns the stock catalogue in English.
func StockStatusMessages() []icwsapi.StatusMessage {
	var messages []icwsapi.StatusMessage
	for i, row := range stock {
		flag := func(letter string) bool { return strings.Contains(row.flags, letter) }
		messages = append(messages, icwsapi.StatusMessage{
			StatusID: row.id, MessageText: row.english, IconURI: iconURI(row.icon), GroupTag: row.group,
			CanHaveDate: flag("d"), CanHaveTime: flag("t"),
			IsDoNotDisturbStatus: flag("n"), IsSelectableStatus: flag("s"), IsPersistentStatus: flag("p"),
			IsForwardStatus: flag("f"), IsAfterCallWorkStatus: flag("w"),
			IsACDStatus: flag("a"), IsAllowFollowUpStatus: flag("u"), SystemID: strconv.Itoa(i + 1),
		})
	}
	return messages
}

func (s *Server) initCatalogue() {
	messages := s.StatusMessages
	if messages == nil {
		messages = StockStatusMessages()
	}
	for _, message := range messages {
		s.catalogue = append(s.catalogue, status{StatusMessage: message})
	}
}

func (s *Server) initialStatus() string {
	if found := s.status("Available, No ACD"); found != nil {
		return found.StatusID
	}
	if len(s.catalogue) > 0 {
		return s.catalogue[0].StatusID
	}
	return ""
}

// status returns the entry of that id, compared without regard to case, or nil. It is valid until
// the catalogue changes.
//
// Source: ICWS reference, status-messages: statusId is case-insensitive.
func (s *Server) status(id string) *status {
	i := slices.IndexFunc(s.catalogue, func(entry status) bool { return strings.EqualFold(entry.StatusID, id) })
	if i < 0 {
		return nil
	}
	return &s.catalogue[i]
}

// in returns the entry with its text in that language.
func (entry *status) in(language *Language) icwsapi.StatusMessage {
	message := entry.StatusMessage
	if text, ok := language.Labels[entry.StatusID]; ok {
		message.MessageText = text
	}
	if text, ok := entry.labels[strings.ToLower(language.ID)]; ok {
		message.MessageText = text
	}
	return message
}

func (s *Server) catalogueIn(language *Language) []icwsapi.StatusMessage {
	messages := make([]icwsapi.StatusMessage, len(s.catalogue))
	for i := range s.catalogue {
		messages[i] = s.catalogue[i].in(language)
	}
	return messages
}

// getStatusMessages answers GET .../status/status-messages: all statuses, whoever asks.
func getStatusMessages(s *Server, c *call) reply {
	return success(icwsapi.StatusMessages{StatusMessageList: s.catalogueIn(c.session.language)})
}
