package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"portico/cache"
	"portico/translate"
)

// A directory is a translate.Directory with the names of its encoded forms. Agents of a site with
// the same catalogue and access list share one.
type directory struct {
	*translate.Directory
	etags [forms]string // with their quotes
	keys  [forms]string

	users int // guarded by directories.mu
}

// directories are those of a site in use.
type directories struct {
	forms *cache.Forms

	mu    sync.Mutex
	inUse map[lists]*directory // guarded by mu
}

// lists are what a directory is made of. Equal ones are the same objects, since they are interned.
type lists struct {
	catalogue *translate.Catalogue
	access    *translate.Access
}

func newDirectories(forms *cache.Forms) *directories {
	return &directories{forms: forms, inUse: map[lists]*directory{}}
}

// of returns the directory of a catalogue and an access list. The caller releases it.
func (d *directories) of(rules translate.Rules, catalogue *translate.Catalogue, access *translate.Access) *directory {
	d.mu.Lock()
	defer d.mu.Unlock()
	of := lists{catalogue, access}
	known := d.inUse[of]
	if known == nil {
		known = newDirectory(rules, rules.NewDirectory(catalogue, access))
		d.inUse[of] = known
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
		delete(d.inUse, lists{one.Catalogue, one.Access})
	}
	d.mu.Unlock()
	if last {
		d.forms.Delete(one.keys[:]...)
	}
}

// newDirectory names the forms. The names depend on the rules too: an operator who gives a status
// another purpose changes what the forms say of it, also for applications that hold one from before.
func newDirectory(rules translate.Rules, made *translate.Directory) *directory {
	digest := made.Digest()
	sum := sha256.Sum256(fmt.Appendf(digest[:], "%+v", rules))
	name := hex.EncodeToString(sum[:16])
	one := &directory{Directory: made}
	for form := range one.keys {
		one.etags[form] = `"` + name + "-" + formNames[form] + `"`
		one.keys[form] = rules.Site + "/" + name + "/" + formNames[form]
	}
	return one
}
