package gateway

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"sync"

	"portico/cache"
	"portico/translate"
	"portico/translate/icwsapi"
)

// provenCatalogues gives native applications the catalogues that agents' sessions share and prove by event
// streams, as the site itself would send them. Any number of goroutines may use it.
type provenCatalogues struct {
	site    string
	commons *commons
	forms   *cache.Forms

	mu   sync.Mutex
	keys map[circleKey]provenForm // guarded by mu
}

// A provenForm is a catalogue and the name of its encoded form, which is costly to make.
type provenForm struct {
	catalogue *translate.Catalogue
	key       string
}

func newProvenCatalogues(site string, shared *commons, forms *cache.Forms) *provenCatalogues {
	return &provenCatalogues{site: site, commons: shared, forms: forms, keys: map[circleKey]provenForm{}}
}

// Proven implements native.Catalogues.
func (p *provenCatalogues) Proven(base, language string) ([]byte, bool) {
	of := circleKey{base, language}
	catalogue := p.commons.current(of)
	if catalogue == nil {
		return nil, false
	}
	body, err := p.forms.Get(p.key(of, catalogue), func() ([]byte, error) { return encodeNative(catalogue) })
	return body, err == nil
}

// key returns the name of a catalogue's form. The form of the one before is dropped.
func (p *provenCatalogues) key(of circleKey, catalogue *translate.Catalogue) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.keys[of]
	if known.catalogue == catalogue {
		return known.key
	}
	digest := catalogue.Digest()
	key := p.site + "/" + hex.EncodeToString(digest[:16]) + "/native"
	p.keys[of] = provenForm{catalogue, key}
	if known.catalogue != nil && known.key != key {
		p.forms.Delete(known.key)
	}
	return key
}

// encodeNative writes a catalogue as the site does: in the order it came, and without escapes that
// only pages of HTML need.
func encodeNative(catalogue *translate.Catalogue) ([]byte, error) {
	messages := catalogue.Messages()
	if messages == nil {
		messages = []icwsapi.StatusMessage{}
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(icwsapi.StatusMessages{StatusMessageList: messages})
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), err
}
