package translate

import (
	"testing"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

const email, chat htccapi.MediaChannel = "email", "chat"

// stock returns a catalogue such as a server comes with. Which flags a real one sets is known for
// some entries only, so other tests set flags of their own.
//
// Source: Interaction Scripter, user status messages standard with CIC.
func stock() []icwsapi.StatusMessage {
	dnd := icwsapi.StatusMessage{IsSelectableStatus: true, IsDoNotDisturbStatus: true, CanHaveDate: true, CanHaveTime: true}
	plain := icwsapi.StatusMessage{IsSelectableStatus: true}
	acd := icwsapi.StatusMessage{IsSelectableStatus: true, IsACDStatus: true, IsAllowFollowUpStatus: true}
	timed := icwsapi.StatusMessage{IsSelectableStatus: true, IsDoNotDisturbStatus: true, CanHaveTime: true}
	entry := func(m icwsapi.StatusMessage, id, text string) icwsapi.StatusMessage {
		m.StatusID, m.MessageText = id, text
		return m
	}
	return []icwsapi.StatusMessage{
		entry(acd, "Available", "Available"),
		entry(plain, "Available, No ACD", "Available, no ACD"),
		entry(icwsapi.StatusMessage{IsSelectableStatus: true, IsForwardStatus: true}, "Available, Forward", "Available, Forward"),
		entry(acd, "Available, Remote", "Available, remote"),
		entry(icwsapi.StatusMessage{IsDoNotDisturbStatus: true}, "AcdAgentNotAnswering", "ACD - Agent Not Answering"),
		entry(dnd, "At a training session", "At a training session"),
		entry(timed, "At Lunch", "At lunch"),
		entry(timed, "Away from desk", "Away from desk"),
		entry(dnd, "Do Not disturb", "Do not disturb"),
		entry(icwsapi.StatusMessage{IsSelectableStatus: true, IsDoNotDisturbStatus: true, IsAfterCallWorkStatus: true}, "Follow Up", "Follow up"),
		entry(dnd, "Gone Home", "Gone home"),
		entry(dnd, "In a meeting", "In a meeting"),
		entry(icwsapi.StatusMessage{IsSelectableStatus: true, IsDoNotDisturbStatus: true, CanHaveDate: true}, "On Vacation", "On vacation"),
		entry(dnd, "Out of the office", "Out of the office"),
		entry(dnd, "Out of Town", "Out of town"),
		entry(icwsapi.StatusMessage{IsSelectableStatus: true, CanHaveDate: true, CanHaveTime: true}, "Working at Home", "Working at home"),
		entry(timed, "At Play", "At play"),
	}
}

const site = "pureconnect"

// with returns the stock catalogue with entries added or replaced.
func with(more ...icwsapi.StatusMessage) *Catalogue {
	return NewCatalogue(site, append(stock(), more...))
}

// all returns access to everything in the catalogue but the statuses named.
func all(c *Catalogue, but ...string) *Access {
	ids := []string{}
	for _, message := range c.Messages() {
		ids = append(ids, message.StatusID)
	}
	return NewAccess(ids).Changed(icwsapi.UserAccessChange{StatusMessagesRemoved: but}, false)
}

// The shapes a site can have: one channel or several, with workgroups, without, or some with.
func oneBare() Rules { return rules(Channel{Name: htccapi.Voice}) }
func bare() Rules    { return rules(Channel{Name: htccapi.Voice}, Channel{Name: email}) }
func mapped() Rules {
	return rules(Channel{htccapi.Voice, []string{"Sales", "Support"}}, Channel{email, []string{"Mail"}})
}
func mixed() Rules { return rules(Channel{Name: htccapi.Voice}, Channel{email, []string{"Mail"}}) }

func rules(channels ...Channel) Rules {
	return Rules{Site: site, PublicURL: "https://agents.example", Channels: channels}
}

// directory returns the stock catalogue with access to all of it.
func (r Rules) directory(tb testing.TB) *Directory {
	tb.Helper()
	catalogue := with()
	return r.NewDirectory(catalogue, all(catalogue))
}
