package htccsim

import (
	"cmp"

	"portico/translate/htccapi"
)

// What follows is read by applications at log-in, and answered with what is true of this server: no
// groups, contacts or workbins.

// getNone answers a collection that is always empty.
func getNone(name string) handler {
	return func(_ *Server, c *call) reply { return c.list(name, nil) }
}

// whileMediaUp is the handler h of a read that is the interaction server's to answer. Guess: the text,
// and the code, since a 503 without its body was seen of workbins while the server was lost.
//
// Source: captured traffic of GWS 8.5.202.96; GWS 8.5.2, ReturnValues.
func whileMediaUp(h handler) handler {
	return func(s *Server, c *call) reply {
		if c.session.agent.mediaDown {
			return c.refuse(codeNoRetrieval, mediaLost.message)
		}
		return h(s, c)
	}
}

func getNothing(_ *Server, c *call) reply { return c.notFound() }

// postOther answers operations that agent state has nothing to do with, such as Subscribe on
// workbins: they succeed, and nothing comes of it.
func postOther(s *Server, c *call) reply {
	asked, wrong := c.readOperation()
	if wrong.code == codeOK && asked.name == "" {
		wrong = s.unknownOperation("")
	}
	if wrong.code != codeOK {
		return c.refuse(wrong.code, wrong.message)
	}
	return c.done()
}

// getVersion answers GET /diagnostics/version, also without credentials.
//
// Source: GWS 8.5.2, InterpretingaResponse.
func getVersion(s *Server, c *call) reply {
	return c.success(member{"version", cmp.Or(s.Version, "8.5.202.96")})
}

// getUsers answers GET /users.
func getUsers(s *Server, c *call) reply {
	var users []htccapi.User
	for _, a := range s.everybody() {
		users = append(users, s.showUserTo(c.session.agent, a))
	}
	return c.list("users", objectsOf(users))
}

// showUserTo is user a with uris as the caller dials them.
func (s *Server) showUserTo(caller, a *agent) htccapi.User {
	shown := s.showUser(a)
	shown.URI = s.uri(caller, shown.Path)
	return shown
}

// getUser answers GET /users/{userId}, with sub-resources as in GET /me.
//
// Source: GWS 8.5.2, UsersGetUser.
func getUser(s *Server, c *call) reply {
	a := s.agentByID(c.params["userId"])
	if a == nil {
		return c.notFound()
	}
	query := c.request.URL.Query()
	user := selected(query, fieldsParameter).restrict(objectOf(s.showUserTo(c.session.agent, a)))
	return c.success(member{"user", append(user, s.embedded(c, a, selected(query, subresourcesParameter))...)})
}

// getContact answers GET /contacts/{contactId}, which the agent desktop asks with type=User and the
// id of its own user.
func getContact(s *Server, c *call) reply {
	a := s.agentByID(c.params["contactId"])
	if a == nil {
		return c.notFound()
	}
	path := "/contacts/" + a.id
	return c.success(member{"contact", object{
		{"id", a.id}, {"type", "User"}, {"firstName", a.FirstName}, {"lastName", a.LastName}, {"userName", a.UserName},
		{"uri", s.uri(c.session.agent, path)}, {"path", path},
	}})
}

func getSkill(s *Server, c *call) reply {
	for _, a := range s.agents {
		for _, skill := range s.showSkills(a) {
			if skill.ID == c.params["skillId"] {
				uri := s.uri(c.session.agent, skill.Path)
				return c.one("skill", object{{"id", skill.ID}, {"name", skill.Name}, {"uri", uri}, {"path", skill.Path}})
			}
		}
	}
	return c.notFound()
}

func getVoiceEnvironment(s *Server, c *call) reply {
	if c.params["environmentId"] != voiceEnvironment {
		return c.notFound()
	}
	path := "/voice-environments/" + voiceEnvironment
	return c.one("voiceEnvironment", object{
		{"id", voiceEnvironment}, {"name", switchName}, {"uri", s.uri(c.session.agent, path)}, {"path", path},
	})
}

// getContactCenter answers GET /internal-api/contact-center.
func getContactCenter(_ *Server, c *call) reply {
	center := object{{"id", contactCenter}, {"name", "Contact Center"}}
	wanted := selected(c.request.URL.Query(), subresourcesParameter)
	if wanted.isAll || wanted.has("businessAttributes") {
		center = append(center, member{"businessAttributes", []object{}})
	}
	return c.one("contactCenter", center)
}

// getLuceneIndex answers GET /internal-api/lucene/index: nothing to search.
func getLuceneIndex(_ *Server, c *call) reply { return c.success(member{"index", []object{}}) }
