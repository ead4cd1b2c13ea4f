package icwssim

import (
	"net/http"

	"portico/translate/icwsapi"
)

// userActivationSub is a subscription to one user's activations.
type userActivationSub struct {
	user       *user
	workgroups []string // "*" means all
}

// workgroupActivationSub is a subscription to the activations of a workgroup's members.
type workgroupActivationSub struct {
	workgroup string
	users     []string // "*" means all
}

func (sub workgroupActivationSub) includes(userID string) bool {
	return contains(sub.users, "*") || contains(sub.users, userID)
}

// tell sends those of the activations that were subscribed to.
func (sub userActivationSub) tell(session *session, id string, activations map[string]bool, isDelta bool) {
	told := make(map[string]bool)
	for name, activated := range activations {
		if contains(sub.workgroups, "*") || contains(sub.workgroups, name) {
			told[name] = activated
		}
	}
	if len(told) == 0 && isDelta {
		return
	}
	session.send(icwsapi.UserActivationMessage{
		Head:           icwsapi.Head{Type: icwsapi.TypeUserActivation, IsDelta: isDelta},
		SubscriptionID: id, UserID: sub.user.id, ActivationsChanged: told,
	})
}

func (sub workgroupActivationSub) tell(session *session, id string, activations map[string]bool, isDelta bool) {
	session.send(icwsapi.WorkgroupActivationMessage{
		Head:           icwsapi.Head{Type: icwsapi.TypeWorkgroupActivation, IsDelta: isDelta},
		SubscriptionID: id, WorkgroupID: sub.workgroup, ActivationsChanged: activations,
	})
}

// subscribeUserActivations answers PUT .../subscriptions/activations/users/{subId}. Guess: 404 for
// an unknown user.
func subscribeUserActivations(s *Server, c *call) reply {
	var asked icwsapi.UserActivationSubscription
	refusal, refused := decode(c.body, &asked, "userId", "workgroupIds")
	if refused {
		return refusal
	}
	u := s.user(asked.UserID)
	if u == nil {
		return noSuchUser()
	}
	id, subs := c.params["subId"], &c.session.subs
	if subs.userActivations == nil {
		subs.userActivations = make(map[string]userActivationSub)
	}
	subs.userActivations[id] = userActivationSub{user: u, workgroups: asked.WorkgroupIDs}
	c.session.watch(u)
	subs.userActivations[id].tell(c.session, id, u.activations, false)
	return empty(http.StatusOK)
}

func unsubscribeUserActivations(_ *Server, c *call) reply {
	delete(c.session.subs.userActivations, c.params["subId"])
	return empty(http.StatusOK)
}

func subscribeWorkgroupActivations(s *Server, c *call) reply {
	var asked icwsapi.WorkgroupActivationSubscription
	refusal, refused := decode(c.body, &asked, "workgroupId", "userIds")
	if refused {
		return refusal
	}
	name, known := s.workgroupNamed(asked.WorkgroupID)
	if !known {
		return noSuchWorkgroup()
	}
	id, subs := c.params["subId"], &c.session.subs
	if subs.workgroupActivations == nil {
		subs.workgroupActivations = make(map[string]workgroupActivationSub)
	}
	sub := workgroupActivationSub{workgroup: name, users: asked.UserIDs}
	subs.workgroupActivations[id] = sub
	s.groupWatchers[c.session] = struct{}{}
	var filter []string
	if !contains(asked.UserIDs, "*") {
		filter = asked.UserIDs
	}
	sub.tell(c.session, id, s.workgroupSet(name, filter).Activations, false)
	return empty(http.StatusOK)
}

func unsubscribeWorkgroupActivations(_ *Server, c *call) reply {
	delete(c.session.subs.workgroupActivations, c.params["subId"])
	return empty(http.StatusOK)
}
