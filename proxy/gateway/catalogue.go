package gateway

import (
	"context"
	"fmt"
	"time"

	"portico/cache"
	"portico/proxy/catalogues"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/translate/htccapi"
)

// A Document is a catalogue as an agent reads it, encoded. Callers share Body and must not change
// it.
type Document struct {
	ETag  string // strong, with its quotes
	Gzip  bool
	Body  []byte
	Age   time.Duration // since it was last known to be what the site has, and what the agent may choose
	Stale bool          // nothing tells of changes of either at the moment

	Looked cache.Result // what became of looking for the catalogue
}

// StatusMessages returns the catalogue of the agent's ICWS site in the language of the session,
// marked with what of it the agent may choose. known reports whether the caller holds the document
// with an ETag; then it comes without a body.
//
// It fails with fault.NotFound when the agent has no ICWS site, fault.Unauthenticated when the session is gone, else
// with the kind of the upstream failure.
func (g *Gateway) StatusMessages(ctx context.Context, a *Agent, dialect htccapi.Dialect, zip bool, known func(etag string) bool) (Document, error) {
	p := a.icws()
	if p == nil {
		return Document{}, fault.New(fault.NotFound, "this agent has no PureConnect site, and so no status messages")
	}
	held, err := p.readLists(ctx)
	if err != nil {
		return Document{}, err
	}
	doc, err := p.document(held.directory, dialect, zip, known)
	doc.Stale, doc.Age, doc.Looked = held.stale, held.age, held.looked
	return doc, err
}

// document returns a form of the catalogue.
func (p *icwsPart) document(d *catalogues.Directory, dialect htccapi.Dialect, zip bool, known func(etag string) bool) (Document, error) {
	etag, body, err := p.site.directories.Encoded(d, dialect, zip, known)
	if err != nil {
		return Document{}, fmt.Errorf("gateway: encode a catalogue: %w", err)
	}
	return Document{ETag: etag, Gzip: zip, Body: body}, nil
}

// heldLists are an agent's catalogue and access list.
type heldLists struct {
	directory *catalogues.Directory
	stale     bool          // one of them is not known to be up to date
	age       time.Duration // since one was last known to be
	looked    cache.Result  // what became of looking for the catalogue
}

// justRead is how long an access list that nothing keeps current is still what the site has: a new session reads it
// before its subscription stands.
const justRead = time.Second

// readLists returns catalogue and access list, fetched if they are not held.
func (p *icwsPart) readLists(ctx context.Context) (heldLists, error) {
	catalogue, looked, err := p.lists.lookUpCatalogue(ctx)
	if err != nil {
		return heldLists{}, p.kinded(err)
	}
	p.lists.avoidedFetch(icws.OpGetStatusMessages, looked)
	access, result, err := p.lists.access.Lookup(ctx)
	if err != nil {
		return heldLists{}, p.kinded(err)
	}
	p.lists.avoidedFetch(icws.OpGetUserAccess, result)
	_, err = p.ready(ctx)
	if err != nil {
		return heldLists{}, err
	}
	p.redirect() // a fetch may have brought others
	p.mu.Lock()
	defer p.mu.Unlock()
	return heldLists{p.directory, catalogue.Stale() || access.Age() >= justRead, max(catalogue.Age(), access.Age()), looked}, nil
}
