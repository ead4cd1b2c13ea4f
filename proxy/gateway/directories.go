package gateway

import (
	"encoding/hex"
	"sync"

	"portico/cache"
	"portico/translate"
)

// A directory is a translate.Directory with the names of its encoded forms. Agents of a site with
// the same catalogue and access list share one.
type directory struct {
	*translate.Directory
	digest cache.Digest
	etag   string // of the plain form, without quotes
	keys   [forms]string

	users int // guarded by directories.mu
}

// directories are those of a site in use.
type directories struct {
	site  string
	forms *cache.Forms

	mu    sync.Mutex
	inUse map[cache.Digest]*directory // guarded by mu
}

func newDirectories(site string, forms *cache.Forms) *directories {
	return &directories{site: site, forms: forms, inUse: map[cache.Digest]*directory{}}
}

// of returns the directory of a catalogue and an access list. The caller releases it.
func (d *directories) of(rules translate.Rules, catalogue *translate.Catalogue, access *translate.Access) *directory {
	made := rules.NewDirectory(catalogue, access)
	digest := made.Digest()
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.inUse[digest]
	if known == nil {
		known = newDirectory(d.site, made, digest)
		d.inUse[digest] = known
	}
	known.users++
	return known
}

// release gives a directory back. The forms of one that nobody uses any more are dropped.
func (d *directories) release(one *directory) {
	if one == nil {
		return
	}
	d.mu.Lock()
	one.users--
	last := one.users == 0
	if last {
		delete(d.inUse, one.digest)
	}
	d.mu.Unlock()
	if last {
		d.forms.Delete(one.keys[:]...)
	}
}

func newDirectory(site string, made *translate.Directory, digest cache.Digest) *directory {
	name := hex.EncodeToString(digest[:16])
	one := &directory{Directory: made, digest: digest, etag: name}
	for form := range one.keys {
		one.keys[form] = site + "/" + name + "/" + formNames[form]
	}
	return one
}
