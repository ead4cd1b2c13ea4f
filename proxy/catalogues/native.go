package catalogues

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"sync"

	"portico/cache"
	"portico/translate"
	"portico/translate/icwsapi"
)

// Native gives applications that speak ICWS the catalogues that agents' sessions share and prove by event
// streams, as the site itself would send them. Any number of goroutines may use it.
type Native struct {
	site   string
	groups *Groups
	forms  *cache.Forms

	mu   sync.Mutex
	keys map[Place]provenForm // guarded by mu
}

// A provenForm is a catalogue and the name of its encoded form, which is costly to make.
type provenForm struct {
	catalogue *translate.Catalogue
	key       string
}

// NewNative returns what gives the catalogues of a site's groups, whose encoded forms are kept in forms.
func NewNative(site string, shared *Groups, forms *cache.Forms) *Native {
	return &Native{site: site, groups: shared, forms: forms, keys: map[Place]provenForm{}}
}

// Proven implements native.Catalogues.
func (n *Native) Proven(base, language string) ([]byte, bool) {
	of := Place{base, language}
	catalogue := n.groups.Current(of)
	if catalogue == nil {
		return nil, false
	}
	body, err := n.forms.Get(n.key(of, catalogue), func() ([]byte, error) { return encodeNative(catalogue) })
	return body, err == nil
}

// key returns the name of a catalogue's form. The form of the one before is dropped.
func (n *Native) key(of Place, catalogue *translate.Catalogue) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := n.keys[of]
	if known.catalogue == catalogue {
		return known.key
	}
	digest := catalogue.Digest()
	key := n.site + "/" + hex.EncodeToString(digest[:16]) + "/native"
	n.keys[of] = provenForm{catalogue, key}
	if known.catalogue != nil && known.key != key {
		n.forms.Delete(known.key)
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
