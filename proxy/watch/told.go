package watch

import (
	"strings"

	"portico/translate/icwsapi"
)

// receive gives each agent what a message says of them, as if it were about nobody else.
func (r *roster) receive(message icwsapi.Message) {
	switch m := message.(type) {
	case icwsapi.UserStatusMessage:
		r.restart(&r.statuses, m.IsDelta)
		for _, status := range m.UserStatusList {
			whole := r.whole(&r.statuses, m.IsDelta, status.UserID)
			r.tell(status.UserID, icwsapi.UserStatusMessage{Head: icwsapi.Head{Type: m.Type, IsDelta: !whole}, UserStatusList: []icwsapi.UserStatus{status}})
		}
	case icwsapi.UserAccessMessage:
		r.restart(&r.access, m.IsDelta)
		for _, change := range m.StatusMessagesUserAccessChanges {
			whole := r.whole(&r.access, m.IsDelta, change.UserID)
			r.tell(change.UserID, icwsapi.UserAccessMessage{Head: icwsapi.Head{Type: m.Type, IsDelta: !whole},
				StatusMessagesUserAccessChanges: []icwsapi.UserAccessChange{change}})
		}
	case icwsapi.UserActivationMessage:
		r.tell(m.UserID, m)
	}
}

func (r *roster) tell(userID string, message icwsapi.Message) {
	for _, agent := range r.of(userID) {
		agent.Receive(message)
	}
}

// partial is who is still missing in a snapshot that comes in parts. A site splits one that is too long
// for a message: only the first part says that it replaces what was known. In the others, whoever has
// not been named yet is named whole.
type partial map[string]bool

// restart begins a snapshot, unless the message is a delta.
func (r *roster) restart(missing *partial, isDelta bool) {
	if isDelta {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	*missing = partial{}
	for id := range r.watched {
		(*missing)[id] = true
	}
}

// whole reports whether what a message says of an agent is all there is.
func (r *roster) whole(missing *partial, isDelta bool, userID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := strings.ToLower(userID)
	first := (*missing)[id]
	delete(*missing, id)
	return first || !isDelta
}
