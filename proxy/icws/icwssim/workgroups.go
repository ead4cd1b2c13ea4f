package icwssim

import (
	"maps"
	"slices"
	"strings"

	"portico/translate/icwsapi"
)

// The workgroup routes are the user routes mirrored: the keys are user ids. Stock agents show as
// members once they have been asked for.

// workgroupNamed returns the server's spelling of a workgroup that has members.
func (s *Server) workgroupNamed(id string) (string, bool) {
	for _, u := range s.users {
		if name, isMember := u.workgroup(id); isMember {
			return name, true
		}
	}
	return "", false
}

// workgroupNames returns all workgroups that have members, sorted.
func (s *Server) workgroupNames() []string {
	names := make(map[string]bool)
	for _, u := range s.users {
		maps.Copy(names, u.activations)
	}
	return slices.Sorted(maps.Keys(names))
}

func (s *Server) workgroupSet(workgroup string, filter []string) icwsapi.WorkgroupActivationSet {
	set := icwsapi.WorkgroupActivationSet{WorkgroupID: workgroup, Activations: make(map[string]bool)}
	for _, u := range s.users {
		if activated, isMember := u.activations[workgroup]; isMember && (len(filter) == 0 || contains(filter, u.id)) {
			set.Activations[u.id] = activated
		}
	}
	return set
}

func getWorkgroupsActivations(s *Server, c *call) reply {
	selected := listIn(c, "select")
	if len(selected) == 0 {
		return badRequest("The query parameter select is required.")
	}
	sets := icwsapi.WorkgroupActivationSets{WorkgroupActivationSetList: []icwsapi.WorkgroupActivationSet{}}
	for _, id := range selected {
		if name, known := s.workgroupNamed(id); known {
			sets.WorkgroupActivationSetList = append(sets.WorkgroupActivationSetList, s.workgroupSet(name, listIn(c, "filter")))
		}
	}
	return success(sets)
}

func getWorkgroupActivations(s *Server, c *call) reply {
	name, known := s.workgroupNamed(c.params["workgroupId"])
	if !known {
		return noSuchWorkgroup()
	}
	return success(s.workgroupSet(name, listIn(c, "filter")))
}

func putWorkgroupActivations(s *Server, c *call) reply {
	workgroup, known := s.workgroupNamed(c.params["workgroupId"])
	if !known {
		return noSuchWorkgroup()
	}
	var asked icwsapi.UserActivations // the same shape; the keys are users here
	refusal, refused := decode(c.body, &asked, "activations")
	if refused {
		return refusal
	}
	changes := make(map[*user]bool)
	for id, activated := range asked.Activations {
		u := s.users[strings.ToLower(id)]
		if u == nil {
			return invalidProperty("activations", "The user "+id+" does not exist.")
		}
		if _, isMember := u.activations[workgroup]; !isMember {
			return invalidProperty("activations", "The user "+id+" is not a member of the workgroup.")
		}
		if !c.mayChange(u) || u.fixedActivations && !c.session.user.isSupervisor {
			return forbidden("The user may not change these activations.")
		}
		changes[u] = activated
	}
	c.written = map[string]any{"workgroupId": workgroup, "activations": maps.Clone(asked.Activations)}
	for u, activated := range changes {
		s.activate(u, map[string]bool{workgroup: activated})
	}
	return success(s.workgroupSet(workgroup, nil))
}
