package icwssim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"portico/translate/icwsapi"
)

// maxNotes keeps one user's status well below the longest event. Guess: some limit there must be.
const maxNotes = 4000 // characters

// getUserStatus answers GET .../status/user-statuses/{userId}. Guess: everybody may read.
func getUserStatus(s *Server, c *call) reply {
	u := s.user(c.params["userId"])
	if u == nil {
		return noSuchUser()
	}
	return success(u.status(nil))
}

// putUserStatus answers PUT .../status/user-statuses/{userId}: 202, and the change later.
//
// Source: ICWS reference, user-statuses/{userId}. It lists no 404 here, so an unknown user is a bad
// request to those who may change others. Guess: what is refused at once.
func putUserStatus(s *Server, c *call) reply {
	u := s.user(c.params["userId"])
	if u == nil && c.session.user.isSupervisor {
		return invalidParameter("The user does not exist.")
	}
	if u == nil || !c.mayChange(u) {
		return forbidden("The user may not change the status of this user.")
	}
	change, refusal, refused := s.readUpdate(c.body)
	if refused {
		return refusal
	}
	c.target = u
	c.written = change.forLog()
	var failure *icwsapi.Error
	if !s.mayChoose(u, s.status(change.statusID)) {
		if !s.RefuseAsync {
			return forbidden("The user has no access to this status.")
		}
		failure = &icwsapi.Error{ErrorID: "error.request.accessDenied", Message: "The user has no access to this status."}
	}
	if s.faults.Take(refuseAsync, u.id, c.host) != nil {
		failure = &icwsapi.Error{ErrorID: "error.server.unexpected", ErrorCode: -2147467259, Message: "The status could not be set."}
	}
	return s.accept(c.session, u, change, failure, s.LoseCompletions || s.faults.Take(loseCompletion, u.id, c.host) != nil)
}

// accept makes the 202, and has the change carried out, or the failure told, after the delay.
func (s *Server) accept(session *session, u *user, change statusChange, failure *icwsapi.Error, silent bool) reply {
	session.requests++
	id := strconv.Itoa(session.requests)
	if failure != nil {
		failure.Message = session.language.say(failure.Message)
	}
	complete := func() {
		if !silent {
			session.send(icwsapi.AsyncOperationCompletedMessage{
				Head:      icwsapi.Head{Type: icwsapi.TypeAsyncOperationCompleted},
				RequestID: id, Error: failure,
			})
		}
	}
	s.later(func() {
		if s.CompletionFirst {
			complete()
		}
		if failure == nil {
			s.setStatus(u, change)
		}
		if !s.CompletionFirst {
			complete()
		}
	})
	return answer(http.StatusAccepted, icwsapi.Accepted{RequestID: id})
}

// readUpdate checks what can be checked without the user.
func (s *Server) readUpdate(body []byte) (statusChange, reply, bool) {
	if date := property(property(body, "until"), "untilDateTime"); date != nil && !isDate(date) {
		return statusChange{}, invalidProperty("untilDateTime", "The property untilDateTime is not a date."), true
	}
	var asked icwsapi.UserStatusUpdate
	refusal, refused := decode(body, &asked, "statusId")
	if refused {
		return statusChange{}, refusal, true
	}
	entry := s.status(strings.TrimSpace(asked.StatusID))
	if entry == nil {
		return statusChange{}, invalidProperty("statusId", "There is no status with this id."), true
	}
	if utf8.RuneCountInString(asked.Notes) > maxNotes {
		return statusChange{}, invalidProperty("notes", "The notes are too long."), true
	}
	if utf8.RuneCountInString(asked.ForwardNumber) > maxNotes {
		return statusChange{}, invalidProperty("forwardNumber", "The number is too long."), true
	}
	if entry.IsForwardStatus && asked.ForwardNumber == "" {
		return statusChange{}, missingProperty("forwardNumber"), true // guess
	}
	for _, name := range []string{"untilDateTime", "hasDate", "hasTime"} {
		if asked.Until != nil && !hasProperty(property(body, "until"), name) {
			return statusChange{}, missingProperty(name), true
		}
	}
	return statusChange{
		statusID: entry.StatusID, notes: asked.Notes, forwardNumber: asked.ForwardNumber, until: entry.end(asked.Until),
	}, reply{}, false
}

// isDate says whether value is a date in one of the two forms that clients send. Guess: other forms
// of ISO 8601, such as one with an offset from UTC, are refused.
func isDate(value json.RawMessage) bool {
	var text string
	err := json.Unmarshal(value, &text)
	if err != nil {
		return false
	}
	for _, layout := range []string{"20060102T150405Z", "2006-01-02T15:04:05Z"} {
		_, err := time.Parse(layout, text) // a fraction of a second may follow the seconds
		if err == nil {
			return true
		}
	}
	return false
}

// end cuts until down to what the status can have; nil is no end.
//
// Source: ICWS reference: until is applied only if the status can have a date or time.
func (entry *status) end(until *icwsapi.Until) *icwsapi.Until {
	if until == nil {
		return nil
	}
	cut := *until
	cut.HasDate = until.HasDate && entry.CanHaveDate
	cut.HasTime = until.HasTime && entry.CanHaveTime
	if !cut.HasDate && !cut.HasTime {
		return nil
	}
	return &cut
}
