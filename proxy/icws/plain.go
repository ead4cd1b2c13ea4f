package icws

import (
	"portico/proxy/plainjson"
	"portico/translate/icwsapi"
)

// A plain reads the JSON that sites send all day, with nothing in it that is not known. Anything else is left to
// encoding/json. One goroutine uses it.
type plain struct{ plainjson.Reader }

// plainMessage reads the two messages that each change of status leads to; false if it is another, or none that
// is plain.
func plainMessage(b []byte) (icwsapi.Message, bool) {
	p := plain{plainjson.Read(b)}
	var head icwsapi.Head
	var statuses []icwsapi.UserStatus
	var requestID string
	var told, completed bool
	p.Object(func(name []byte) {
		switch string(name) {
		case "__type":
			head.Type = p.plainType()
		case "isDelta":
			head.IsDelta = p.Bool()
		case "userStatusList":
			if told {
				p.Leave()
			}
			told = true
			statuses = []icwsapi.UserStatus{}
			p.List(func() { statuses = append(statuses, p.userStatus()) })
		case "requestId":
			requestID, completed = p.Text(), true
		case "error":
			p.Null() // of what failed there is more to read
			completed = true
		default:
			p.Leave()
		}
	})
	switch {
	case !p.End():
		return nil, false
	case head.Type == icwsapi.TypeUserStatus && told && !completed:
		return icwsapi.UserStatusMessage{Head: head, UserStatusList: statuses}, true
	case head.Type == icwsapi.TypeAsyncOperationCompleted && completed && !told:
		return icwsapi.AsyncOperationCompletedMessage{Head: head, RequestID: requestID}, true
	}
	return nil, false
}

// plainAccepted reads the answer to a change of status.
func plainAccepted(b []byte, into *icwsapi.Accepted) bool {
	p := plain{plainjson.Read(b)}
	var accepted icwsapi.Accepted
	p.Object(func(name []byte) {
		if string(name) != "requestId" {
			p.Leave()
			return
		}
		accepted.RequestID = p.Text()
	})
	if !p.End() {
		return false
	}
	*into = accepted
	return true
}

// plainType reads the type of one of the two messages.
func (p *plain) plainType() string {
	text := p.Raw()
	for _, known := range []string{icwsapi.TypeUserStatus, icwsapi.TypeAsyncOperationCompleted} {
		if string(text) == known {
			return known
		}
	}
	p.Leave()
	return ""
}

func (p *plain) userStatus() icwsapi.UserStatus {
	var s icwsapi.UserStatus
	p.Object(func(name []byte) {
		switch string(name) {
		case "userId":
			s.UserID = p.Text()
		case "statusId":
			s.StatusID = p.Text()
		case "notes":
			s.Notes = new(p.Text())
		case "forwardNumber":
			s.ForwardNumber = new(p.Text())
		case "until":
			p.Null()
			s.Until = icwsapi.OptUntil{Present: true}
		case "statusChanged":
			s.StatusChanged = p.time()
		case "onPhone":
			s.OnPhone = new(p.Bool())
		case "onPhoneChanged":
			s.OnPhoneChanged = p.time()
		case "loggedIn":
			s.LoggedIn = new(p.Bool())
		case "stations":
			s.Stations = p.texts()
		case "icServers":
			s.ICServers = p.texts()
		default:
			p.Leave()
		}
	})
	return s
}

func (p *plain) texts() *[]string {
	all := []string{}
	p.List(func() { all = append(all, p.Text()) })
	return &all
}

func (p *plain) time() *icwsapi.Time {
	var t icwsapi.Time
	if t.UnmarshalJSON(p.Raw()) != nil {
		p.Leave()
	}
	return &t
}
