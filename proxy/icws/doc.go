// Package icws is the client of ICWS, the HTTP API of PureConnect: it logs in, calls and receives,
// and knows nothing of those who call Portico. What one server calls a connection is a Conn here.
package icws
