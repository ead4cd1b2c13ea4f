package icwssim

import (
	"maps"
	"strings"

	"portico/translate/icwsapi"
)

// getUsersActivations answers GET .../activations/users?select=u1,u2[&filter=wg1,wg2]. Unknown
// users are left out.
func getUsersActivations(s *Server, c *call) reply {
	selected := listIn(c, "select")
	if len(selected) == 0 {
		return badRequest("The query parameter select is required.")
	}
	sets := icwsapi.UserActivationSets{UserActivationSetList: []icwsapi.UserActivationSet{}}
	for _, id := range selected {
		if u := s.user(id); u != nil {
			sets.UserActivationSetList = append(sets.UserActivationSetList, u.activationSet(listIn(c, "filter")))
		}
	}
	return success(sets)
}

// getUserActivations answers GET .../activations/users/{userId}[?filter=wg1,wg2].
func getUserActivations(s *Server, c *call) reply {
	u := s.user(c.params["userId"])
	if u == nil {
		return noSuchUser()
	}
	return success(u.activationSet(listIn(c, "filter")))
}

// putUserActivations answers PUT .../activations/users/{userId}: only the workgroups listed change,
// at once, and the answer has all of them. As for a status, the reference lists no 404 here.
// Guess: 400 for a workgroup the user is no member of.
func putUserActivations(s *Server, c *call) reply {
	u := s.user(c.params["userId"])
	if u == nil && c.session.user.isSupervisor {
		return invalidParameter("The user does not exist.")
	}
	if u == nil || !c.mayChange(u) || u.fixedActivations && !c.session.user.isSupervisor {
		return forbidden("The user may not change these activations.")
	}
	var asked icwsapi.UserActivations
	refusal, refused := decode(c.body, &asked, "activations")
	if refused {
		return refusal
	}
	changes := make(map[string]bool)
	for id, activated := range asked.Activations {
		member, isMember := u.workgroup(id)
		if !isMember {
			return invalidProperty("activations", "The user is not a member of the workgroup "+id+".")
		}
		changes[member] = activated
	}
	c.target = u
	c.written = map[string]any{"activations": maps.Clone(changes)}
	s.activate(u, changes)
	return success(u.activationSet(nil))
}

// workgroup returns the server's spelling of a workgroup that the user is a member of.
func (u *user) workgroup(id string) (string, bool) {
	if _, ok := u.activations[id]; ok {
		return id, true
	}
	for name := range u.activations {
		if strings.EqualFold(name, id) {
			return name, true
		}
	}
	return "", false
}

// activationSet returns the user's activations in the named workgroups, none named meaning all.
func (u *user) activationSet(filter []string) icwsapi.UserActivationSet {
	set := icwsapi.UserActivationSet{UserID: u.id, Activations: make(map[string]bool)}
	for name, activated := range u.activations {
		if len(filter) == 0 || contains(filter, name) {
			set.Activations[name] = activated
		}
	}
	return set
}

// activate makes the changes and tells who watches the user or the workgroups.
func (s *Server) activate(u *user, changes map[string]bool) {
	changed := make(map[string]bool)
	for name, activated := range changes {
		if old, isMember := u.activations[name]; !isMember || old != activated {
			u.activations[name], changed[name] = activated, activated
		}
	}
	if len(changed) == 0 {
		return
	}
	for watcher := range u.watchers {
		for id, sub := range watcher.subs.userActivations {
			if sub.user == u {
				sub.tell(watcher, id, changed, true)
			}
		}
	}
	for watcher := range s.groupWatchers {
		for id, sub := range watcher.subs.workgroupActivations {
			if activated, isChange := changed[sub.workgroup]; isChange && sub.includes(u.id) {
				sub.tell(watcher, id, map[string]bool{u.id: activated}, true)
			}
		}
	}
}

// listIn returns the values of a query parameter that is a comma-separated list.
func listIn(c *call, name string) []string {
	var list []string
	for _, values := range c.request.URL.Query()[name] {
		for value := range strings.SplitSeq(values, ",") {
			if value = strings.TrimSpace(value); value != "" {
				list = append(list, value)
			}
		}
	}
	return list
}
