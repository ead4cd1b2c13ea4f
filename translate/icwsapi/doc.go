// Package icwsapi holds the wire types and constants of ICWS, the HTTP API of PureConnect. It
// says what travels, not what is done with it.
//
// Property names, required and nullable properties are those of the vendor's generated contract.
// A property that the contract marks optional is a pointer or has omitempty, because in a delta
// "absent" means "unchanged".
package icwsapi

// ContentType is the media type of every ICWS answer that has a body.
//
// Source: ICWS, Concepts: Representation format.
const ContentType = "application/vnd.inin.icws+JSON; charset=utf-8"

// Headers of ICWS. A session's token travels in HeaderCSRFToken on every session request but the
// reading of messages.
const (
	HeaderCSRFToken = "ININ-ICWS-CSRF-Token"
	HeaderSessionID = "ININ-ICWS-Session-ID"
)

// CookiePrefix and the session id make the name of the session's cookie.
const CookiePrefix = "icws_"
