package icwssim

import (
	"time"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// tokenLife is how long a unique auth token can be used.
//
// Source: ICWS reference, /icws/{sessionId}/connection/unique-auth-token.
const tokenLife = 7 * time.Second

// authToken is a token that was given out and not used yet.
type authToken struct {
	source *session
	seed   string
	given  time.Time
}

// postAuthToken answers POST .../connection/unique-auth-token.
func postAuthToken(s *Server, c *call) reply {
	var asked icwsapi.AuthTokenRequest
	refusal, refused := decode(c.body, &asked, "authTokenSeed")
	if refused {
		return refusal
	}
	token := randomToken()
	s.tokens[token] = authToken{source: c.session, seed: asked.AuthTokenSeed, given: time.Now()}
	s.life.After(tokenLife, func() { delete(s.tokens, token) })
	return success(icwsapi.AuthToken{AuthToken: token})
}

// logInWithToken opens a second session for the user of the one that asked for the token.
func (s *Server) logInWithToken(c *call) reply {
	var asked icwsapi.AuthTokenConnectionRequestSettings
	refusal, refused := decode(c.body, &asked, "applicationName", "authTokenSeed", "authToken", "authTokenSourceSession")
	if refused {
		return refusal
	}
	c.written = map[string]any{"authToken": simulation.Hidden, "applicationName": asked.ApplicationName}
	token, known := s.tokens[asked.AuthToken]
	delete(s.tokens, asked.AuthToken)
	isRight := known && token.seed == asked.AuthTokenSeed && token.source.id == asked.AuthTokenSourceSession &&
		!token.source.ended && time.Since(token.given) <= tokenLife
	if !isRight {
		return authenticationFailure()
	}
	answer := s.admitUser(c, token.source.user, asked.ApplicationName)
	if asked.DisconnectSourceSession && answer.status < 300 {
		s.end(token.source, "")
	}
	return answer
}
