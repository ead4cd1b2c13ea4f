package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"portico/cache"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// The encoded forms of a catalogue: two dialects, plain and gzip.
const (
	plainStatus = iota
	gzipStatus
	plainStatusCode
	gzipStatusCode
	forms
)

var formNames = [forms]string{"status", "status.gz", "statusCode", "statusCode.gz"}

// A Document is a catalogue as an agent reads it, encoded. Callers share Body and must not change
// it.
type Document struct {
	ETag  string // strong, with its quotes
	Gzip  bool
	Body  []byte
	Age   time.Duration // since it was last known to be what the site has
	Stale bool          // nothing tells of changes at the moment

	Looked cache.Result // what became of looking for the catalogue
}

// StatusMessages returns the catalogue of the agent's ICWS site in the language of the session,
// marked with what of it the agent may choose. known reports whether the caller holds the document
// with an ETag; then it comes without a body.
//
// It fails with fault.NotFound when the agent has no ICWS site, fault.Unauthenticated when the session is gone, else with the kind of the upstream
// failure.
func (g *Gateway) StatusMessages(ctx context.Context, a *Agent, dialect htccapi.Dialect, zip bool, known func(etag string) bool) (Document, error) {
	p := a.icws()
	if p == nil {
		return Document{}, fault.New(fault.NotFound, "this agent has no PureConnect site, and so no status messages")
	}
	d, held, looked, err := p.lists(ctx)
	if err != nil {
		return Document{}, err
	}
	doc, err := g.document(d, dialect, zip, known)
	doc.Stale, doc.Age, doc.Looked = held.Stale(), held.Age(), looked
	return doc, err
}

// document returns a form of the catalogue.
func (g *Gateway) document(d *directory, dialect htccapi.Dialect, zip bool, known func(etag string) bool) (Document, error) {
	form := formOf(dialect, zip)
	doc := Document{ETag: d.etags[form], Gzip: zip}
	if known(doc.ETag) {
		return doc, nil
	}
	var err error
	doc.Body, err = g.forms.Get(d.keys[form], func() ([]byte, error) { return encode(d.Directory, dialect, zip) })
	if err != nil {
		return Document{}, fmt.Errorf("gateway: encode a catalogue: %w", err)
	}
	return doc, nil
}

// lists returns catalogue and access list, fetched if they are not held, how well the catalogue is known
// to be up to date, and what became of looking for it.
func (p *icwsPart) lists(ctx context.Context) (*directory, cache.Snapshot[translate.Catalogue], cache.Result, error) {
	var none cache.Snapshot[translate.Catalogue]
	catalogue, looked, err := p.lookUpCatalogue(ctx)
	if err != nil {
		return nil, none, looked, p.kinded(err)
	}
	p.avoidedFetch(icws.OpGetStatusMessages, looked)
	_, result, err := p.access.Lookup(ctx)
	if err != nil {
		return nil, none, looked, p.kinded(err)
	}
	p.avoidedFetch(icws.OpGetUserAccess, result)
	_, err = p.ready(ctx)
	if err != nil {
		return nil, none, looked, err
	}
	p.redirect() // a fetch may have brought others
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.directory, catalogue, looked, nil
}

// avoidedFetch counts a fetch that a caller needed and that was not made.
func (p *icwsPart) avoidedFetch(operation string, result cache.Result) {
	switch result {
	case cache.Hit:
		p.site.metrics.Avoided(operation, upstream.CacheHit)
	case cache.StaleHit:
		p.site.metrics.Avoided(operation, upstream.StaleHit)
	case cache.Coalesced:
		p.site.metrics.Avoided(operation, upstream.Coalesced)
	}
}

func formOf(dialect htccapi.Dialect, zip bool) int {
	form := plainStatus
	if dialect == htccapi.DialectStatusCode {
		form = plainStatusCode
	}
	if zip {
		form++
	}
	return form
}

// An entry is a status message with what Portico adds to it.
type entry struct {
	icwsapi.StatusMessage
	OperationName htccapi.Operation `json:"operationName"`
	Accessible    bool              `json:"accessible"`
}

// encode writes the document: {"statusMessageList":[...]}, in the dialect of a real server with
// "statusCode":0 before it.
func encode(d *translate.Directory, dialect htccapi.Dialect, zip bool) ([]byte, error) {
	var document struct {
		StatusCode        *int    `json:"statusCode,omitempty"`
		StatusMessageList []entry `json:"statusMessageList"`
	}
	if dialect == htccapi.DialectStatusCode {
		document.StatusCode = new(int)
	}
	document.StatusMessageList = []entry{}
	for _, message := range d.Catalogue.Messages() {
		document.StatusMessageList = append(document.StatusMessageList,
			entry{StatusMessage: message, OperationName: d.OperationFor(message.StatusID), Accessible: d.Access.Has(message.StatusID)})
	}
	plain, err := json.Marshal(document)
	if err != nil || !zip {
		return plain, err
	}
	return compress(plain)
}

func compress(plain []byte) ([]byte, error) {
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = writer.Write(plain)
	if err != nil {
		return nil, err
	}
	err = writer.Close()
	return zipped.Bytes(), err
}
