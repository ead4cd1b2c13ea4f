package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// A Document is one text of settings and the name its faults carry.
type Document struct {
	Name string
	Data []byte
}

// Load reads the settings file at path, and from environ ("NAME=value", as os.Environ) what
// overrides it. It returns every fault found, joined, and no settings then. It fails with ctx's error when that ends
// before somebody has written what a pipe is to say.
func Load(ctx context.Context, path string, environ []string) (*Config, error) {
	data, err := Read(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data, environ)
}

// Read returns the text of a settings file, which may be a pipe. Of one that is longer than settings may be it
// returns more than Parse takes, and not the rest, which may have no end. Its errors are the system's, and ctx's when
// that ends first: nobody may ever write to a pipe.
func Read(ctx context.Context, path string) ([]byte, error) {
	type reading struct {
		data []byte
		err  error
	}
	done := make(chan reading, 1)
	go func() {
		file, err := os.Open(path)
		if err != nil {
			done <- reading{nil, err}
			return
		}
		defer func() { _ = file.Close() }()
		data, err := readAtMost(file)
		done <- reading{data, err}
	}()
	select {
	case is := <-done:
		return is.data, is.err
	case <-ctx.Done():
		return nil, fmt.Errorf("read %s: %w", path, ctx.Err())
	}
}

// ErrOnce is that of what can be read once, such as a pipe.
var ErrOnce = errors.New("it is no file that can be read again")

// ReadAgain is Read of a file that was read before. It waits for nobody, and fails with ErrOnce for a pipe or a device.
func ReadAgain(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0 {
		return nil, ErrOnce
	}
	return readAtMost(file)
}

func readAtMost(file io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(file, maxFile+1))
}

// Parse is Load for a text at hand; name stands in its faults, and secret files are looked for
// beside it.
func Parse(name string, data []byte, environ []string) (*Config, error) {
	return seal(parse(environ, Document{name, data}))
}

// ParseOver is Parse for two documents, over laid over base before anything is checked: mappings
// merge key by key, lists and all else are replaced.
func ParseOver(base, over Document, environ []string) (*Config, error) {
	return seal(parse(environ, base, over))
}

// parse reads documents, each laid over those before it, and holds them to the whole schema, also
// to what this version does not serve.
func parse(environ []string, documents ...Document) (*Config, *verdict) {
	v := newVerdict()
	c := Default()
	root := readAll(documents, v)
	if root == nil {
		return c, v
	}
	v.places[""] = root.at
	override(root, environ, v)
	decode(root, c, v)
	c.complete(v)
	c.validate(v)
	return c, v
}

// readAll returns all documents as one tree, nil if any of them could not be read.
func readAll(documents []Document, v *verdict) *node {
	root := newMapping(place{})
	whole := true
	for _, document := range documents {
		tree := readTree(document.Name, document.Data, v)
		if tree == nil {
			whole = false // go on: the next one may have faults too
			continue
		}
		root = lay(root, tree)
	}
	if !whole {
		return nil
	}
	return root
}

// complete fills in the defaults that depend on other settings, and reads the secret files.
func (c *Config) complete(v *verdict) {
	if !v.given("public_url") {
		c.PublicURL = c.PublicURLAt(c.Listen)
	}
	readSecretFile("admin_token_file", c.AdminTokenFile, &c.AdminToken, v)
	c.TLS.complete("tls", v)
	c.AdminTLS.complete("admin_tls", v)
	c.Store.complete(v)
	for name, site := range c.Sites {
		site.complete(name)
		site.TLS.complete(pathOf("sites", name, "tls"), v)
		password, code := pathOf("sites", name, "service", "password_file"), pathOf("sites", name, "marketplace", "code_file")
		readSecretFile(password, site.Service.PasswordFile, &site.Service.Password, v)
		readSecretFile(code, site.Marketplace.CodeFile, &site.Marketplace.Code, v)
		c.Sites[name] = site
	}
}

// readSecretFile reads the file that a setting names, unless the environment gave the secret itself.
// The file is relative to the settings file, or to the working directory if a variable names it.
func readSecretFile(path, file string, into *Secret, v *verdict) {
	if file == "" || !into.IsZero() {
		return
	}
	file = beside(path, file, v)
	secret, readable, err := readSecret(file)
	if err != nil {
		v.fault(path, "%v; name a file that holds the secret alone", err)
		return
	}
	if readable {
		v.warn(path, "every user of this machine may read %s; chmod o-r it", file)
	}
	*into = secret
}

// beside returns where a file is that the setting at path names: beside the settings file, or in the
// working directory if a variable names it.
func beside(path, file string, v *verdict) string {
	at := v.at(path)
	if file == "" || at.env != "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(filepath.Dir(at.file), file)
}

// seal returns the settings with their warnings, or all faults.
func seal(c *Config, v *verdict) (*Config, error) {
	if err := v.err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(v.warnings, inOrder)
	for _, warning := range v.warnings {
		c.Warnings = append(c.Warnings, warning.Error())
	}
	return c, nil
}
