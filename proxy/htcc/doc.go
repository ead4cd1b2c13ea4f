// Package htcc is the client of HTCC, the HTTP API of Genesys Web Services: it logs in, calls and
// receives, and knows nothing of those who call Portico. What an agent's log-in gave is a Conn
// here; it changes with the server's answers, and the Session that holds it keeps up with them.
package htcc
