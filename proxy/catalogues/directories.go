package catalogues

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"portico/cache"
	"portico/translate"
)

// A Directory is a translate.Directory with the names of its encoded forms. Agents of a site with
// the same catalogue and access list share one.
type Directory struct {
	*translate.Directory
	etags [forms]string // with their quotes
	keys  [forms]string

	users int // guarded by Directories.mu
}

// Directories are those of a site in use. Any number of goroutines may call their methods.
type Directories struct {
	forms *cache.Forms

	mu    sync.Mutex
	inUse map[lists]*Directory // guarded by mu
}

// lists are what a directory is made of. Equal ones are the same objects, since they are interned.
type lists struct {
	catalogue *translate.Catalogue
	access    *translate.Access
}

// NewDirectories returns those of a site, none yet, whose encoded forms are kept in forms.
func NewDirectories(forms *cache.Forms) *Directories {
	return &Directories{forms: forms, inUse: map[lists]*Directory{}}
}

// Of returns the directory of a catalogue and an access list. The caller releases it.
func (d *Directories) Of(rules translate.Rules, catalogue *translate.Catalogue, access *translate.Access) *Directory {
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

// Release gives a directory back. The forms of one that nobody uses any more are dropped.
func (d *Directories) Release(one *Directory) {
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

// Len returns how many are in use.
func (d *Directories) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.inUse)
}

// newDirectory names the forms. The names depend on the rules too: an operator who gives a status
// another purpose changes what the forms say of it, also for applications that hold one from before.
func newDirectory(rules translate.Rules, made *translate.Directory) *Directory {
	digest := made.Digest()
	sum := sha256.Sum256(fmt.Appendf(digest[:], "%+v", rules))
	name := hex.EncodeToString(sum[:16])
	one := &Directory{Directory: made}
	for form := range one.keys {
		one.etags[form] = `"` + name + "-" + formNames[form] + `"`
		one.keys[form] = rules.Site + "/" + name + "/" + formNames[form]
	}
	return one
}
