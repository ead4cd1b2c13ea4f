package native

import (
	"cmp"
	"encoding/json"
	"hash/maphash"
	"slices"
	"time"

	"portico/translate/icwsapi"
)

// A site tells an application of its catalogue beside Portico, on another stream: the application may hear of a change
// first, and read the catalogue at once. The cache may be several changes behind then. So who was told is answered by
// the site, until the cache has what the site has said to them since: in an answer, or as the whole list that they were
// told.

// aheadFor is how long after it was told a session is taken to know more than the cache, if nothing shows the opposite:
// the stream that tells the cache is found to be dead within.
const aheadFor = 3 * time.Minute

// ahead is what a session knows of the catalogue, which the cache may lack. Proof.mu guards it.
type ahead struct {
	tellings int       // of the catalogue, to the session's application
	last     time.Time // when the last of them was
	said     uint64    // digest of the catalogue that the site has said since then; 0 if none is known
	same     uint64    // hash of a body that holds it, which needs no second look; 0 if none is known
}

// mayLead reports whether the application was told so lately that the cache may not have it.
func (a *ahead) mayLead() bool { return time.Since(a.last) < aheadFor }

var hashes = maphash.MakeSeed()

// digest returns a hash of a catalogue, in whatever order: changed ones may have it in another than the site.
func digest(catalogue []icwsapi.StatusMessage) uint64 {
	var hash maphash.Hash
	hash.SetSeed(hashes)
	byID := func(a, b icwsapi.StatusMessage) int { return cmp.Compare(a.StatusID, b.StatusID) }
	for _, message := range slices.SortedFunc(slices.Values(catalogue), byID) {
		maphash.WriteComparable(&hash, message)
	}
	return hash.Sum64()
}

// tell notes that the session's application is about to be told of the catalogue, and returns how often it was.
func (p *proof) tell() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead = ahead{tellings: p.ahead.tellings + 1, last: time.Now()}
	return p.ahead.tellings
}

// tellings returns how often the application was told, and whether the cache may not have the last of it. Of a session
// that is not known it is 0.
func (p *proof) tellings() (int, bool) {
	if p == nil {
		return 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ahead.tellings, p.ahead.mayLead()
}

// hears notes what the site has said to the application after so many tellings. If there was another since, it may
// have said that before.
func (p *proof) hears(catalogue []icwsapi.StatusMessage, tellings int) {
	said := digest(catalogue)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ahead.tellings == tellings {
		p.ahead.said, p.ahead.same = said, 0
	}
}

// knowsMore reports whether the application may know another catalogue than the one that the cache has.
func (p *proof) knowsMore(body []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ahead.mayLead() {
		return false
	}
	if p.ahead.said == 0 {
		return true
	}
	hash := maphash.Bytes(hashes, body)
	if hash == p.ahead.same {
		return false
	}
	var kept icwsapi.StatusMessages
	err := json.Unmarshal(body, &kept)
	if err != nil || digest(kept.StatusMessageList) != p.ahead.said {
		return true
	}
	p.ahead.same = hash
	return false
}
