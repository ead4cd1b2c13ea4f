// Package catalogues keeps the status-message catalogues of ICWS sites for all who share them: the sessions of a
// site, and replicas. It knows no agents, and calls no site: who has a session fetches, and is told of changes.
//
//	a full list that came     maker.go      equal ones are one catalogue
//	the messages of a stream  feed.go       put together before anybody sees them
//	sessions at one place     groups.go, group.go   one proves the catalogue for the others; renewal.go: read anew, for operators
//	several replicas          replicas.go   what they keep for each other, purge and fetch (fetch.go) once;
//	                                        instep.go, elsewhere.go: what one proves, the others have
//	what agents read          directories.go, forms.go   a catalogue with an access list, and its encoded forms
//	applications of ICWS      native.go     a catalogue as the site itself sends it
//
// A catalogue that is given and never fetched has a cell of cells.go.
package catalogues
