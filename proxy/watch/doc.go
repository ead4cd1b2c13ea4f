// Package watch receives what an ICWS site pushes about all of its agents, by the upstream sessions of one user: for
// thousands of agents one stream, where otherwise each has one. What a message means for an agent it does not know.
//
//	who watches, and what for     service.go
//	one upstream session          watcher.go    there is one for each language; the first receives for the agents
//	the agents who are watched    roster.go     subscribed to together
//	whom the site does not know   strangers.go
//	what agents are told          told.go       of each message what is theirs
package watch
