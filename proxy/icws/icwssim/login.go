package icwssim

import (
	"net/http"
	"slices"
	"strings"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// logIn answers POST /icws/connection.
//
// Source: ICWS, Getting started: Connecting; ICWS reference, /icws/connection.
func logIn(s *Server, c *call) reply {
	if hosts, refused := s.refusesSessions(c); refused {
		return unavailable(hosts)
	}
	if s.lacksLanguage(c) {
		return missingLanguage()
	}
	var head icwsapi.Head
	refusal, refused := decode(c.body, &head, "__type")
	if refused {
		return refusal
	}
	switch head.Type {
	case icwsapi.TypeICAuth:
		return s.logInWithPassword(c)
	case icwsapi.TypeAuthToken:
		return s.logInWithToken(c)
	case icwsapi.TypeSingleSignOnToken:
		return logInWithSignOnToken(c)
	}
	return invalidProperty("__type", "The value of __type is not a kind of connection request.")
}

func (s *Server) lacksLanguage(c *call) bool {
	return c.request.Header.Get("Accept-Language") == "" && !s.Lenient
}

func missingLanguage() reply {
	return refuse(http.StatusBadRequest, icwsapi.Error{
		ErrorID: "error.request.missingHeader", Message: "The required header Accept-Language is missing.",
	})
}

func (s *Server) logInWithPassword(c *call) reply {
	var asked icwsapi.ICAuthConnectionRequestSettings
	refusal, refused := decode(c.body, &asked, "applicationName", "userID", "password")
	if refused {
		return refusal
	}
	c.written = map[string]any{"userID": asked.UserID, "password": simulation.Hidden, "applicationName": asked.ApplicationName}
	u := s.user(asked.UserID)
	if u == nil || u.password != asked.Password {
		return authenticationFailure()
	}
	return s.admitUser(c, u, asked.ApplicationName)
}

// logInWithSignOnToken refuses: there are no identity providers, so no token can be right.
func logInWithSignOnToken(c *call) reply {
	var asked struct {
		ApplicationName   string `json:"applicationName"`
		SingleSignOnToken string `json:"singleSignOnToken"`
	}
	refusal, refused := decode(c.body, &asked, "applicationName", "singleSignOnToken")
	if refused {
		return refusal
	}
	return authenticationFailure()
}

// admitUser opens a session for a user who has proved who they are.
func (s *Server) admitUser(c *call, u *user, application string) reply {
	c.userName = u.id
	if s.faults.Take(noLicence, u.id, c.host) != nil {
		status := s.LicenceRefusal
		if status == 0 {
			status = http.StatusForbidden
		}
		return withoutLicence(status, "A required license is not available.")
	}
	session := s.newSession(u, c, application)
	c.written["language"] = session.language.ID
	return s.welcome(c, session)
}

// welcome is the 201. What clients need stands in headers and in the body, for some read only one
// of them.
func (s *Server) welcome(c *call, session *session) reply {
	r := answer(http.StatusCreated, s.connectionResponse(c, session))
	r.header[icwsapi.HeaderCSRFToken] = []string{session.csrf} // spelled as seen on the wire, for scripts
	r.header[icwsapi.HeaderSessionID] = []string{session.id}   // that look for it letter by letter
	r.header.Set("Location", c.base+"/icws/"+session.id+"/connection")
	r.header.Set("Set-Cookie", sessionCookie(c, session))
	return r
}

// sessionCookie is the Set-Cookie line, whose value has a language over plain HTTP only.
//
// Source: recorded answers of 2016 (HTTPS) and 2019 (HTTP).
func sessionCookie(c *call, session *session) string {
	value, secure := session.cookie+"|languageId="+session.language.ID, ""
	if c.request.TLS != nil {
		value, secure = session.cookie, "; Secure"
	}
	return icwsapi.CookiePrefix + session.id + "=" + value + "; Path=" + c.base + "/icws/" + session.id + "; HttpOnly" + secure
}

func (s *Server) connectionResponse(c *call, session *session) icwsapi.ConnectionResponse {
	response := icwsapi.ConnectionResponse{
		CSRFToken: session.csrf, SessionID: session.id, AlternateHostList: s.AlternateHosts,
		UserID: session.user.id, UserDisplayName: session.user.name, ICServer: s.icServer(),
	}
	included := included(c)
	if slices.Contains(included, "version") {
		response.Version = version()
	}
	if slices.Contains(included, "features") {
		response.Features = s.features(c)
	}
	if slices.Contains(included, "server-time") {
		response.ServerTimeInfo = &icwsapi.ServerTime{ServerUTCTime: icwsapi.NewTime(s.now())}
	}
	if slices.Contains(included, "effective-station") {
		session.wantStation = true
		response.EffectiveStation = session.user.effectiveStation()
	}
	if slices.Contains(included, "default-workstation") && session.user.workstation != "" {
		response.DefaultWorkstationID = &session.user.workstation
	}
	if slices.Contains(included, "purecloud-integration") {
		response.PureCloudIntegration = &icwsapi.PureCloudIntegration{}
	}
	return response
}

// included returns the names in the include parameter, which is a list and may come more than once.
func included(c *call) []string {
	var names []string
	for _, list := range c.request.URL.Query()["include"] {
		for name := range strings.SplitSeq(list, ",") {
			names = append(names, strings.ToLower(strings.TrimSpace(name)))
		}
	}
	return names
}

// authenticationFailure is the one answer to an unknown user and a wrong password: 400, not 401.
//
// Source: answers recorded by several clients' tests.
func authenticationFailure() reply {
	return refuse(http.StatusBadRequest, icwsapi.Error{
		ErrorID: icwsapi.ErrorAuthenticationFailure, ErrorCode: -2147221503,
		Message: "The authentication process failed.",
	})
}

// refusesSessions says whether the node that was dialled takes no log-ins now, and which hosts may.
func (s *Server) refusesSessions(c *call) ([]string, bool) {
	f := s.faults.Take(switchover, c.userName, c.host)
	if f != nil && f.Hosts != nil {
		return f.Hosts, true
	}
	return s.AlternateHosts, f != nil || s.Backup || s.down
}
